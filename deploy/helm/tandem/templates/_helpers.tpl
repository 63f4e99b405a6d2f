{{- define "tandem.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tandem.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tandem.labels" -}}
{{ include "tandem.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* The volume that holds the repository of models. */ -}}
{{- define "tandem.modelsVolume" -}}
{{- if .Values.models.volume -}}
{{ toYaml .Values.models.volume }}
{{- else -}}
persistentVolumeClaim:
  claimName: {{ .Values.models.existingClaim | default (printf "%s-models" (include "tandem.fullname" .)) }}
  readOnly: true
{{- end -}}
{{- end -}}

{{- /* tandem.yaml: what the chart decides, then what the user has set. */ -}}
{{- define "tandem.config" -}}
model_repository: [/models]
state_dir: /var/lib/tandem
grpc_address: 0.0.0.0:8001
http_address: 0.0.0.0:8002
admin_address: {{ ternary "0.0.0.0" "127.0.0.1" .Values.admin.enabled }}:8003
{{- with .Values.tls }}
{{- if .secretName }}
tls_cert: /etc/tandem/tls/tls.crt
tls_key: /etc/tandem/tls/tls.key
{{- if .clientCertificates }}
tls_client_ca: /etc/tandem/tls/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.admin.tokenSecretName }}
admin_token_file: /etc/tandem/admin-token/token
{{- end }}
{{- with .Values.admin.tls }}
{{- if .secretName }}
admin_tls_cert: /etc/tandem/admin-tls/tls.crt
admin_tls_key: /etc/tandem/admin-tls/tls.key
{{- if .clientCertificates }}
admin_tls_client_ca: /etc/tandem/admin-tls/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.config }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* What the schema cannot say. */ -}}
{{- define "tandem.check" -}}
{{- $admin := .Values.admin -}}
{{- if and $admin.enabled (not $admin.tokenSecretName) (not (and $admin.tls.secretName $admin.tls.clientCertificates)) -}}
{{- fail "admin.enabled: other pods can reach the port: set admin.tokenSecretName, or admin.tls.secretName and admin.tls.clientCertificates" -}}
{{- end -}}
{{- if and $admin.tls.clientCertificates (not $admin.tls.secretName) -}}
{{- fail "admin.tls.clientCertificates needs admin.tls.secretName" -}}
{{- end -}}
{{- if and .Values.tls.clientCertificates (not .Values.tls.secretName) -}}
{{- fail "tls.clientCertificates needs tls.secretName" -}}
{{- end -}}
{{- if and .Values.service.headless (ne .Values.service.type "ClusterIP") -}}
{{- fail "service.headless goes with service.type ClusterIP alone" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
