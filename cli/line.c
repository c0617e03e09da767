#include "cli/line.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#ifdef CRIA_HAVE_EDIT
#include <histedit.h>
#endif

enum { HISTORY_LINES = 1000, PATH_BYTES = 4096 };

struct cli_line {
    bool prompts;
    char *prompt;
    char *text;
    size_t size;
    const volatile int *was_interrupted;
#ifdef CRIA_HAVE_EDIT
    EditLine *edit;
    History *history;
    char file[PATH_BYTES]; /* of the history; "" when nowhere */
#endif
};

#ifdef CRIA_HAVE_EDIT
/* Where the history lies, its folders made; "" when nowhere. Questions are nobody else's business:
 * the file is the user's alone. */
static void history_file(char *out)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = state && state[0] == '/' ? snprintf(out, PATH_BYTES, "%s/cria", state)
            : home && home[0] == '/' ? snprintf(out, PATH_BYTES, "%s/.local/state/cria", home)
                                     : 0;
    if (n <= 0 || (size_t)n + sizeof("/history") > PATH_BYTES) {
        out[0] = '\0';
        return;
    }
    for (char *c = out + 1; *c; c++) {
        if (*c != '/') continue;
        *c = '\0';
        mkdir(out, 0700);
        *c = '/';
    }
    mkdir(out, 0700);
    memcpy(out + n, "/history", sizeof("/history"));
    int fd = open(out, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

static struct cli_line *line_of(EditLine *edit)
{
    void *line = NULL;
    el_get(edit, EL_CLIENTDATA, &line);
    return line;
}

static char *prompt_of(EditLine *edit)
{
    return line_of(edit)->prompt;
}

/* A character of UTF-8. The library's own reader would go on waiting after a Ctrl-C. */
static int read_char(EditLine *edit, wchar_t *out)
{
    const struct cli_line *line = line_of(edit);
    mbstate_t state = {0};
    for (;;) {
        char byte;
        ssize_t n = read(STDIN_FILENO, &byte, 1);
        if (n < 0 && errno == EINTR && !*line->was_interrupted) continue;
        if (n <= 0) return (int)n;
        size_t took = mbrtowc(out, &byte, 1, &state);
        if (took == (size_t)-2) continue;
        if (took != (size_t)-1) return 1;
        state = (mbstate_t){0}; /* no character: left out */
    }
}

static void edit_begin(struct cli_line *line)
{
    HistEvent event;
    line->edit = el_init("cria", stdin, stdout, stderr);
    line->history = history_init();
    if (!line->edit || !line->history) return;
    el_set(line->edit, EL_CLIENTDATA, line);
    el_set(line->edit, EL_EDITOR, "emacs");
    el_set(line->edit, EL_PROMPT, prompt_of);
    el_set(line->edit, EL_GETCFN, read_char);
    el_set(line->edit, EL_HIST, history, line->history);
    el_set(line->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    history(line->history, &event, H_SETSIZE, HISTORY_LINES);
    history(line->history, &event, H_SETUNIQUE, 1);
    history_file(line->file);
    if (line->file[0]) history(line->history, &event, H_LOAD, line->file);
}

/* NULL: the end, or a Ctrl-C. */
static const char *edit_read(struct cli_line *line)
{
    HistEvent event;
    int count = 0;
    const char *text = el_gets(line->edit, &count);
    if (!text || count <= 0) return NULL;
    if (text[0] != '\n') {
        history(line->history, &event, H_ENTER, text);
        if (line->file[0]) history(line->history, &event, H_SAVE, line->file);
    }
    return text;
}
#endif

struct cli_line *cli_line_new(bool prompts, const char *prompt)
{
    struct cli_line *line = calloc(1, sizeof(*line));
    if (!line) return NULL;
    line->prompts = prompts;
    line->prompt = strdup(prompt);
    if (!line->prompt) {
        free(line);
        return NULL;
    }
#ifdef CRIA_HAVE_EDIT
    if (prompts) {
        setlocale(LC_CTYPE, ""); /* characters, not bytes, are typed and removed */
        edit_begin(line);
    }
#endif
    return line;
}

void cli_line_free(struct cli_line *line)
{
    if (!line) return;
#ifdef CRIA_HAVE_EDIT
    if (line->edit) el_end(line->edit);
    if (line->history) history_end(line->history);
#endif
    free(line->prompt);
    free(line->text);
    free(line);
}

static bool plain_read(struct cli_line *line)
{
    if (line->prompts) {
        fputs(line->prompt, stdout);
        fflush(stdout);
    }
    if (getline(&line->text, &line->size, stdin) >= 0) return true;
    clearerr(stdin);
    return false;
}

enum cli_line_kind cli_line_read(struct cli_line *line, const volatile int *was_interrupted,
                                 const char **text)
{
    line->was_interrupted = was_interrupted;
    bool good;
#ifdef CRIA_HAVE_EDIT
    if (line->edit && line->history) {
        const char *typed = edit_read(line);
        free(line->text);
        line->text = typed ? strdup(typed) : NULL;
        line->size = 0;
        good = line->text != NULL;
    } else {
        good = plain_read(line);
    }
#else
    good = plain_read(line);
#endif
    if (!good) return *was_interrupted ? CLI_LINE_INTERRUPTED : CLI_LINE_END;
    size_t len = strlen(line->text);
    while (len && (line->text[len - 1] == '\n' || line->text[len - 1] == ' '))
        line->text[--len] = '\0';
    *text = line->text;
    return CLI_LINE_TYPED;
}
