/* sanitize.c - document text on its way into a prompt: data that cannot pass for anything else. */
#include "base/utf8.h"
#include "chat/tools.h"

static bool is_hidden(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0xAD || c == 0x180E ||
           (c >= 0xE0000 && c <= 0xE0FFF) || c == CRIA_UTF8_BAD;
}

/* Templates know these; a blank behind the first character makes them plain text. */
static bool is_token(struct cria_str rest)
{
    static const char *const tokens[] = {
        "<|",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<</SYS>>",
        "<s>",
        "</s>",
        "<bos>",
        "<eos>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "[TOOL_CALLS]",
        "<passages-",
        "</passages-",
    };
    for (size_t i = 0; i < CRIA_COUNT(tokens); i++)
        if (cria_str_equal_nocase(cria_str_sub(rest, 0, strlen(tokens[i])),
                                  cria_str_from(tokens[i])))
            return true;
    return false;
}

void cria_text_sanitize(struct cria_buf *out, struct cria_str text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t from = at;
        char c = text.ptr[at];
        if (c == '<' || c == '[') {
            struct cria_str rest = cria_str_sub(text, at, SIZE_MAX);
            if (cria_str_starts(rest, "<!--")) {
                size_t end = cria_str_find(rest, CRIA_STR("-->"));
                at = end == SIZE_MAX ? text.len : at + end + 3;
                continue;
            }
            cria_buf_add_char(out, c);
            if (is_token(rest)) cria_buf_add_char(out, ' ');
            at++;
            continue;
        }
        if (!is_hidden(cria_utf8_next(text, &at)))
            cria_buf_add(out, cria_str_sub(text, from, at - from));
    }
}
