/* `completion SHELL`: scripts that ask the program itself for candidates.
 *
 * The scripts only speak the protocol of __complete; what can be completed is decided in
 * complete.c. Mirrors the `completion` group that cobra gives kOps. */
#include "cmd/commands.h"

#include <string.h>

/* In the scripts @ stands for the hidden command to call. */

static const char bash_script[] =
    "# bash completion for ckops\n"
    "\n"
    "_ckops()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} cur typed reply directive\n"
    "    local -a words lines\n"
    "    COMPREPLY=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=(\"\")\n"
    "    cur=${words[${#words[@]}-1]}\n"
    "    mapfile -t lines < <(\"${words[0]}\" @ \"${words[@]:1}\" 2>/dev/null)\n"
    "    ((${#lines[@]})) || return\n"
    "    directive=${lines[${#lines[@]}-1]#:}\n"
    "    unset \"lines[${#lines[@]}-1]\"\n"
    "    (((directive & 1))) && return\n"
    "\n"
    "    # the value alone is completed in --flag=value\n"
    "    typed=$cur\n"
    "    [[ $cur == -*=* ]] && typed=${cur#*=}\n"
    "    for reply in \"${lines[@]}\"; do\n"
    "        [[ $reply == \"$typed\"* ]] && COMPREPLY+=(\"$reply\")\n"
    "    done\n"
    "    if ((${#COMPREPLY[@]} == 0 && (directive & 4) == 0)); then\n"
    "        if (((directive & 8))); then\n"
    "            for reply in \"${lines[@]}\"; do\n"
    "                mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \\\n"
    "                    < <(compgen -f -X \"!*.$reply\" -- \"$typed\")\n"
    "            done\n"
    "        else\n"
    "            mapfile -t COMPREPLY < <(compgen -f -- \"$typed\")\n"
    "        fi\n"
    "        compopt -o filenames 2>/dev/null\n"
    "    fi\n"
    "    (((directive & 2))) && compopt -o nospace 2>/dev/null\n"
    "\n"
    "    # readline replaces only what follows the last colon\n"
    "    if [[ $typed == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
    "        COMPREPLY=(\"${COMPREPLY[@]#\"${typed%\"${typed##*:}\"}\"}\")\n"
    "    fi\n"
    "}\n"
    "\n"
    "complete -o default -F _ckops ckops\n";

static const char zsh_script[] =
    "#compdef ckops\n"
    "compdef _ckops ckops\n"
    "\n"
    "# zsh completion for ckops\n"
    "\n"
    "_ckops()\n"
    "{\n"
    "    local reply directive name text\n"
    "    local -a lines candidates space\n"
    "    lines=(\"${(@f)$(${(Q)words[1]} @ \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    (( ${#lines} )) || return 1\n"
    "    directive=${lines[-1]#:}\n"
    "    lines[-1]=()\n"
    "    (( directive & 1 )) && return 1\n"
    "\n"
    "    # the value alone is completed in --flag=value\n"
    "    [[ ${words[CURRENT]} == -*=* ]] && compset -P '*='\n"
    "    for reply in \"${lines[@]}\"; do\n"
    "        [[ -n $reply ]] || continue\n"
    "        name=${reply%%$'\\t'*}\n"
    "        text=${reply#*$'\\t'}\n"
    "        [[ $text == $reply ]] && text=\n"
    "        candidates+=(\"${name//:/\\\\:}${text:+:$text}\")\n"
    "    done\n"
    "    (( directive & 2 )) && space=(-S '')\n"
    "    if (( ${#candidates} )); then\n"
    "        _describe -V 'completions' candidates \"${space[@]}\"\n"
    "    elif (( (directive & 4) == 0 )); then\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "\n"
    "[ \"$funcstack[1]\" = \"_ckops\" ] && _ckops\n";

static const char fish_script[] =
    "# fish completion for ckops\n"
    "\n"
    "function __ckops_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l cur (commandline -ct)\n"
    "    set -l lines ($words[1] @ $words[2..-1] \"$cur\" 2>/dev/null)\n"
    "    test (count $lines) -gt 0; or return\n"
    "    set -l directive (string replace -r '^:' '' -- $lines[-1])\n"
    "    set -e lines[-1]\n"
    "    test (math \"$directive % 2\") -eq 1; and return\n"
    "\n"
    "    # fish wants the whole word in --flag=value\n"
    "    set -l prefix (string match -r -- '^-.*=' $cur)\n"
    "    if test (count $lines) -gt 0\n"
    "        printf '%s\\n' $prefix$lines\n"
    "    else if test (math \"floor($directive / 4) % 2\") -eq 0\n"
    "        __fish_complete_path (string replace -r -- '^-.*=' '' $cur)\n"
    "    end\n"
    "end\n"
    "\n"
    "complete -c ckops -e\n"
    "complete -c ckops -f -k -a '(__ckops_complete)'\n";

static const char powershell_script[] =
    "# powershell completion for ckops\n"
    "\n"
    "Register-ArgumentCompleter -Native -CommandName 'ckops' -ScriptBlock {\n"
    "    param($wordToComplete, $commandAst, $cursorPosition)\n"
    "\n"
    "    $words = @($commandAst.CommandElements | Where-Object {\n"
    "        $_.Extent.EndOffset -le $cursorPosition -or $_.Extent.StartOffset -lt "
    "$cursorPosition\n"
    "    } | ForEach-Object { $_.ToString() })\n"
    "    $program = $words[0]\n"
    "    $arguments = @($words | Select-Object -Skip 1)\n"
    "    # an empty last word would get lost on the way to a native program\n"
    "    if ($wordToComplete -eq '') {\n"
    "        if ($PSNativeCommandArgumentPassing -in 'Standard', 'Windows') { $arguments += '' }\n"
    "        else { $arguments += '\"\"' }\n"
    "    }\n"
    "    $lines = @(& $program @ @arguments 2>$null)\n"
    "    if ($lines.Count -eq 0) { return }\n"
    "    $directive = [int]$lines[-1].TrimStart(':')\n"
    "    if ($directive -band 1) { return }\n"
    "    $space = if ($directive -band 2) { '' } else { ' ' }\n"
    "    $prefix = if ($wordToComplete -match '^-.*=') { $Matches[0] } else { '' }\n"
    "    $lines | Select-Object -SkipLast 1 | ForEach-Object {\n"
    "        $name, $text = $_ -split \"`t\", 2\n"
    "        if (-not $text) { $text = $name }\n"
    "        [System.Management.Automation.CompletionResult]::new(\n"
    "            \"$prefix$name$space\", $name, 'ParameterValue', $text)\n"
    "    }\n"
    "}\n";

struct completion_opts {
    bool no_descriptions;
};

static int print_script(struct ck_ctx *ctx, const char *script, bool descriptions)
{
    const char *command = descriptions ? "__complete" : "__completeNoDesc";
    const char *at = strstr(script, " @ ");
    ck_print_slice(ctx, ck_slice_n(script, (size_t)(at - script)));
    ck_print(ctx, " %s %s", command, at + 3);
    return 0;
}

/* bash shows no descriptions in any case */
static int bash_run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return print_script(ctx, bash_script, false);
}

static int zsh_run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return print_script(ctx, zsh_script, !((struct completion_opts *)opts)->no_descriptions);
}

static int fish_run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return print_script(ctx, fish_script, !((struct completion_opts *)opts)->no_descriptions);
}

static int powershell_run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return print_script(ctx, powershell_script, !((struct completion_opts *)opts)->no_descriptions);
}

static const struct ck_opt options[] = {
    {.name = "no-descriptions",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct completion_opts, no_descriptions),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "leave the descriptions of candidates out"},
    {0},
};

#define SHELL(shell, how)                                                                          \
    static const struct ck_cmd shell##_cmd = {                                                     \
        .name = #shell,                                                                            \
        .use = #shell,                                                                             \
        .brief = "Print the completion script for " #shell ".",                                    \
        .example = how,                                                                            \
        .opts = options,                                                                           \
        .opts_size = sizeof(struct completion_opts),                                               \
        .args = ck_args_none,                                                                      \
        .run = shell##_run,                                                                        \
    }

SHELL(bash, "# In this shell\n"
            "source <(ckops completion bash)\n"
            "\n"
            "# In every shell to come\n"
            "ckops completion bash > ~/.local/share/bash-completion/completions/ckops");
SHELL(zsh, "# In every shell to come, with a folder of $fpath\n"
           "ckops completion zsh > \"${fpath[1]}/_ckops\"");
SHELL(fish, "ckops completion fish > ~/.config/fish/completions/ckops.fish");
SHELL(powershell, "ckops completion powershell | Out-String | Invoke-Expression");

static const struct ck_cmd *const subs[] = {&bash_cmd, &fish_cmd, &powershell_cmd, &zsh_cmd, NULL};

const struct ck_cmd ck_cmd_completion = {
    .name = "completion",
    .use = "completion",
    .brief = "Print a completion script for a shell.",
    .subs = subs,
};
