/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead completion: a script for a shell
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* Bash breaks words at ":" and "=", and replaces only what follows the last break: candidates are cut accordingly. */
static const char bash_script[] =
    "# bash completion for bulkhead. Load it with:  source <(bulkhead completion bash)\n"
    "_bulkhead() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} candidate before\n"
    "    local -a words candidates\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line != *[[:space:]] ]] || words+=(\"\")\n"
    "    COMPREPLY=()\n"
    "    mapfile -t candidates < <(\"${words[0]}\" __complete -- \"${words[@]:1}\" 2>/dev/null)\n"
    "    before=${words[-1]%\"${words[-1]##*[:=]}\"}\n"
    "    for candidate in \"${candidates[@]}\"; do\n"
    "        if [[ $candidate == :files ]]; then\n"
    "            compopt -o default 2>/dev/null\n"
    "            continue\n"
    "        fi\n"
    "        candidate=${candidate%%$'\\t'*}\n"
    "        [[ $candidate != *[:=,] ]] || compopt -o nospace 2>/dev/null\n"
    "        COMPREPLY+=(\"${candidate#\"$before\"}\")\n"
    "    done\n"
    "}\n"
    "complete -F _bulkhead bulkhead\n";

static const char zsh_script[] =
    "#compdef bulkhead\n"
    "# zsh completion for bulkhead. Put it into a folder of $fpath as _bulkhead, or:  source <(bulkhead completion "
    "zsh)\n"
    "_bulkhead() {\n"
    "    local line files=no\n"
    "    local -a lines described\n"
    "    lines=(\"${(@f)$(bulkhead __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    for line in $lines; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            files=yes\n"
    "        elif [[ $line == *$'\\t'* ]]; then\n"
    "            described+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        elif [[ -n $line ]]; then\n"
    "            described+=(\"${line//:/\\\\:}\")\n"
    "        fi\n"
    "    done\n"
    "    (( ! $#described )) || _describe -t bulkhead bulkhead described\n"
    "    [[ $files == no ]] || _files\n"
    "}\n"
    "compdef _bulkhead bulkhead\n";

static const char fish_script[] = "# fish completion for bulkhead. Load it with:  bulkhead completion fish | source\n"
                                  "function __bulkhead_complete\n"
                                  "    set -l words (commandline -opc) (commandline -ct)\n"
                                  "    for line in (bulkhead __complete -- $words[2..-1] 2>/dev/null)\n"
                                  "        if test \"$line\" = ':files'\n"
                                  "            __fish_complete_path (commandline -ct)\n"
                                  "        else\n"
                                  "            echo $line\n"
                                  "        end\n"
                                  "    end\n"
                                  "end\n"
                                  "complete -c bulkhead -f -a '(__bulkhead_complete)'\n";

static const struct {
    const char *shell, *script;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
        if (strcmp(scripts[i].shell, arguments->items[0]) == 0) {
            (void)fputs(scripts[i].script, stdout);
            return 0;
        }
    }
    return cli_misuse(cli, error, "no completion for \"%s\": want bash, zsh or fish", arguments->items[0]);
}

const struct command completion_command = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "Print a script that completes command lines",
    .details = "The script asks bulkhead itself, which knows its commands and options, and the engine for the names of "
               "containers, images, volumes and networks.",
    .example = "source <(bulkhead completion bash)\nbulkhead completion fish | source",
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_SHELLS,
    .run = run,
};
