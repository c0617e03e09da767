/* cria-parse - reads documents of all formats but PDF, in a sandbox. */
#include "parser/charset.h"
#include "parser/child.h"
#include "parser/formats.h"

int main(int argc, char **argv)
{
    static const struct cria_child child = {
        .name = "cria-parse", .prepare = cria_charset_prepare, .read = cria_formats_read};
    return cria_child_main(argc, argv, &child);
}
