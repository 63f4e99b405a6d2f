#!/usr/bin/env bash
# Asks a model with nothing but grpcurl: is it ready, what does it take, and what does it answer.
#
#   ask.sh HOST:PORT MODEL COLUMNS < NUMBERS     numbers of type FP32, in rows of COLUMNS
#
# The first output is shown. The server describes itself by reflection, so that no .proto file is needed. Numbers go as
# text, in `contents`; those of the answer come raw, in base64, and od shows them. GRPCURL may name another grpcurl than
# the one in PATH.
set -euo pipefail

if [ $# != 3 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
  sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"
  exit 2
fi
server=$1 model=$2 columns=$3

call() {
  "${GRPCURL:-grpcurl}" -plaintext -d "$2" "$server" "inference.GRPCInferenceService/$1"
}

# The value of the first field of this name in what grpcurl printed.
field() {
  sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -1
}

numbers=$(tr -s '[:space:],' '\n' | sed '/^$/d')
count=$(wc -l <<<"$numbers")
rows=$((count / columns))
if [ $((rows * columns)) != "$count" ]; then
  echo "ask.sh: $count numbers are no rows of $columns" >&2
  exit 1
fi

echo "ready: $(call ModelReady "{\"name\": \"$model\"}" | field ready)"
input=$(call ModelMetadata "{\"name\": \"$model\"}" | sed -n '/"inputs"/,$p' | field name)
echo "input: $input, $rows x $columns"

answer=$(call ModelInfer "{\"model_name\": \"$model\", \"inputs\": [{\"name\": \"$input\", \"datatype\": \"FP32\",
  \"shape\": [$rows, $columns], \"contents\": {\"fp32_contents\": [$(paste -sd, <<<"$numbers")]}}]}")
echo "computed by: $(field string_param <<<"$answer"), version $(field model_version <<<"$answer")"
sed -n '/"raw_output_contents"/{n;s/[" ,]//g;p}' <<<"$answer" | base64 -d | od -An -v -tfF -w4 | tr -s ' \n' ' '
echo
