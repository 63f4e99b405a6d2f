// Completion: scripts for shells that know every command and option, made from the commands themselves.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "clients/cli/commands.h"

namespace tandem::cli {
namespace {

// A command and what may follow it.
struct Words {
  std::vector<std::string> path;  // from tandemctl on, without it
  std::vector<std::string> words;
};

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->nonpositional(); })) {
    for (const std::string& name : option->get_lnames()) words.push_back(absl::StrCat("--", name));
  }
  return words;
}

// Those of tandemctl may follow every command, but for what only prints something.
std::vector<std::string> OptionsOfAll(const CLI::App& app) {
  std::vector<std::string> words = OptionsOf(app);
  std::erase_if(words, [](const std::string& word) { return word == "--help" || word == "--version"; });
  return words;
}

void Collect(const CLI::App& app, const std::vector<std::string>& path, const std::vector<std::string>& of_all,
             std::vector<Words>& all) {
  Words here{.path = path};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    here.words.push_back(command->get_name());
  }
  for (std::string& option : OptionsOf(app)) here.words.push_back(std::move(option));
  if (!path.empty()) here.words.insert(here.words.end(), of_all.begin(), of_all.end());
  all.push_back(std::move(here));
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<std::string> longer = path;
    longer.push_back(command->get_name());
    Collect(*command, longer, of_all, all);
  }
}

// One function, which zsh runs too.
std::string BashFunction(const std::vector<Words>& all) {
  std::string known, words;
  for (const Words& command : all) {
    const std::string path = absl::StrJoin(command.path, " ");
    if (!path.empty()) absl::StrAppend(&known, known.empty() ? "" : "|", "\"", path, "\"");
    absl::StrAppend(&words, "    \"", path, "\") words=\"", absl::StrJoin(command.words, " "), "\" ;;\n");
  }
  return absl::StrReplaceAll(R"(_tandemctl() {
  local path="" longer word words=""
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    longer="${path:+$path }$word"
    case "$longer" in
      @KNOWN@) path="$longer" ;;
    esac
  done
  case "$path" in
@WORDS@  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _tandemctl tandemctl
)",
                             {{"@KNOWN@", known}, {"@WORDS@", words}});
}

std::string FishScript(const std::vector<Words>& all) {
  std::string script = "complete -c tandemctl -f\n";
  for (const Words& command : all) {
    std::string condition = command.path.empty() ? "__fish_use_subcommand" : "";
    for (const std::string& word : command.path) {
      absl::StrAppend(&condition, condition.empty() ? "" : "; and ", "__fish_seen_subcommand_from ", word);
    }
    absl::StrAppend(&script, "complete -c tandemctl -n '", condition, "' -a '", absl::StrJoin(command.words, " "),
                    "'\n");
  }
  return script;
}

std::string Script(const CLI::App& app, const std::string& shell) {
  std::vector<Words> all;
  Collect(app, {}, OptionsOfAll(app), all);
  if (shell == "fish") return FishScript(all);
  const std::string function = BashFunction(all);
  return shell == "bash" ? function : absl::StrCat("autoload -U +X bashcompinit && bashcompinit\n", function);
}

}  // namespace

void AddCompletion(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("completion", "Print a script that completes commands: source it in a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &chosen, shell] {
    chosen = [&app, shell](Connection&) {
      std::fputs(Script(app, *shell).c_str(), stdout);
      return absl::OkStatus();
    };
  });
}

}  // namespace tandem::cli
