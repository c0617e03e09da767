/* docx_lists.c - XML by expat, styles by name and outline level, labels of numbered lists. */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>

#include "parser/docx.h"

enum { XML_DEPTH_MAX = 512, NAME_BYTES = 80, BASED_MAX = 12, ATTRIBUTES_MAX = 64 };

/* ---- XML */

struct walker {
    const struct cria_xml_reader *reader;
    XML_Parser parser;
    unsigned depth;
    bool is_stopped, has_doctype;
};

/* "http://…/main|p" gives "p"; of mathematics "m:t". */
static void local_name(const char *full, char out[NAME_BYTES])
{
    const char *bar = strrchr(full, '|');
    const char *name = bar ? bar + 1 : full;
    bool is_math = bar && strstr(full, "/math|") != NULL;
    snprintf(out, NAME_BYTES, "%s%s", is_math ? "m:" : "", name);
}

static void stop(struct walker *walker)
{
    walker->is_stopped = true;
    XML_StopParser(walker->parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct walker *walker = arg;
    char local[NAME_BYTES];
    const char *names[2 * ATTRIBUTES_MAX + 1];
    size_t n = 0;
    if (++walker->depth > XML_DEPTH_MAX) {
        stop(walker);
        return;
    }
    for (; attributes[n] && n + 1 < 2 * ATTRIBUTES_MAX; n += 2) {
        const char *bar = strrchr(attributes[n], '|');
        names[n] = bar ? bar + 1 : attributes[n];
        names[n + 1] = attributes[n + 1];
    }
    names[n] = NULL;
    local_name(name, local);
    walker->reader->start(walker->reader->arg, local, names);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    struct walker *walker = arg;
    char local[NAME_BYTES];
    walker->depth--;
    local_name(name, local);
    walker->reader->end(walker->reader->arg, local);
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
    struct walker *walker = arg;
    if (walker->reader->text)
        walker->reader->text(walker->reader->arg, cria_str_make(text, (size_t)len));
}

/* No document of Office has one; entities are what attacks are made of. */
static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public_id, int has_subset)
{
    struct walker *walker = arg;
    (void)name, (void)system, (void)public_id, (void)has_subset;
    walker->has_doctype = true;
    stop(walker);
}

void cria_xml_walk(struct cria_doc *doc, struct cria_str part, const char *part_name,
                   const struct cria_xml_reader *reader)
{
    struct walker walker = {.reader = reader, .parser = XML_ParserCreateNS(NULL, '|')};
    enum { PIECE = 1 << 20 };
    if (!walker.parser) {
        cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
        return;
    }
    XML_SetUserData(walker.parser, &walker);
    XML_SetElementHandler(walker.parser, on_start, on_end);
    XML_SetCharacterDataHandler(walker.parser, on_text);
    XML_SetStartDoctypeDeclHandler(walker.parser, on_doctype);
    enum XML_Status status = XML_STATUS_OK;
    do {
        struct cria_str piece = cria_str_sub(part, 0, PIECE);
        part = cria_str_sub(part, piece.len, part.len);
        status = XML_Parse(walker.parser, piece.ptr, (int)piece.len, part.len == 0);
    } while (status == XML_STATUS_OK && part.len && cria_doc_ok(doc));
    if (walker.has_doctype)
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE,
                      "not a readable %s: its part %.80s declares entities", doc->format,
                      part_name);
    else if (walker.is_stopped)
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE, "not a readable %s: its part %.80s is too deep",
                      doc->format, part_name);
    else if (status != XML_STATUS_OK)
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE, "not a readable %s: its part %.80s is no XML (%s)",
                      doc->format, part_name, XML_ErrorString(XML_GetErrorCode(walker.parser)));
    XML_ParserFree(walker.parser);
}

const char *cria_xml_attribute(const char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i]; i += 2)
        if (strcmp(attributes[i], name) == 0) return attributes[i + 1];
    return NULL;
}

unsigned cria_xml_number(const char *value, unsigned otherwise, unsigned most)
{
    int64_t number;
    if (!value || !cria_str_to_int64(cria_str_from(value), &number)) return otherwise;
    return number < 0 || number > most ? otherwise : (unsigned)number;
}

/* ---- styles */

struct style_reader {
    struct cria_docx_lists *lists;
    struct cria_docx_style *style; /* at hand, or NULL */
};

/* "heading 2", "Heading 2", "Title": by name, which Word keeps in English whatever its language. */
static unsigned heading_of_name(const char *name)
{
    struct cria_str text = cria_str_from(name), start = CRIA_STR("heading ");
    if (cria_str_equal_nocase(text, CRIA_STR("title"))) return 1;
    if (text.len == start.len + 1 && cria_str_equal_nocase(cria_str_sub(text, 0, start.len), start))
        return cria_xml_number(name + start.len, 0, 6);
    return 0;
}

static void style_start(void *arg, const char *name, const char **attributes)
{
    struct style_reader *reader = arg;
    const char *value = cria_xml_attribute(attributes, "val");
    if (strcmp(name, "style") == 0) {
        const char *id = cria_xml_attribute(attributes, "styleId");
        reader->style = CRIA_NEW(reader->lists->arena, struct cria_docx_style);
        if (id && reader->style &&
            !cria_map_put(&reader->lists->styles, cria_str_from(id), reader->style))
            reader->style = NULL;
        return;
    }
    struct cria_docx_style *style = reader->style;
    if (!style || !value) return;
    if (strcmp(name, "name") == 0 && !style->heading)
        style->heading = heading_of_name(value);
    else if (strcmp(name, "basedOn") == 0)
        style->based_on = cria_arena_copy(reader->lists->arena, cria_str_from(value));
    else if (strcmp(name, "outlineLvl") == 0 && !style->heading)
        style->heading = cria_xml_number(value, 9, 9) < 6 ? cria_xml_number(value, 9, 9) + 1 : 0;
    else if (strcmp(name, "numId") == 0) {
        style->list = cria_xml_number(value, 0, 1 << 30);
        style->has_list = style->list != 0;
    } else if (strcmp(name, "ilvl") == 0)
        style->level = cria_xml_number(value, 0, CRIA_DOCX_LEVELS - 1);
}

static void style_end(void *arg, const char *name)
{
    struct style_reader *reader = arg;
    if (strcmp(name, "style") == 0) reader->style = NULL;
}

struct cria_docx_style cria_docx_style_of(const struct cria_docx_lists *lists, const char *id)
{
    struct cria_docx_style out = {0};
    struct cria_str at = cria_str_from(id);
    for (unsigned n = 0; at.len && n < BASED_MAX; n++) {
        const struct cria_docx_style *style = cria_map_get(&lists->styles, at);
        if (!style) break;
        if (!out.heading) out.heading = style->heading;
        if (!out.has_list && style->has_list) {
            out.has_list = true;
            out.list = style->list;
            out.level = style->level;
        }
        at = style->based_on;
    }
    return out;
}

/* ---- numbers */

struct number_reader {
    struct cria_docx_lists *lists;
    struct cria_docx_abstract *abstract;
    struct cria_docx_level *level;
    char list[16]; /* the numId at hand */
};

static void number_start(void *arg, const char *name, const char **attributes)
{
    struct number_reader *reader = arg;
    const char *value = cria_xml_attribute(attributes, "val");
    if (strcmp(name, "abstractNum") == 0) {
        const char *id = cria_xml_attribute(attributes, "abstractNumId");
        reader->abstract = CRIA_NEW(reader->lists->arena, struct cria_docx_abstract);
        reader->level = NULL;
        if (id && reader->abstract &&
            !cria_map_put(&reader->lists->abstracts, cria_str_from(id), reader->abstract))
            reader->abstract = NULL;
    } else if (strcmp(name, "lvl") == 0 && reader->abstract) {
        unsigned n = cria_xml_number(cria_xml_attribute(attributes, "ilvl"), 0, 8);
        reader->level = &reader->abstract->levels[n];
        reader->level->start = 1;
    } else if (strcmp(name, "num") == 0) {
        const char *id = cria_xml_attribute(attributes, "numId");
        snprintf(reader->list, sizeof(reader->list), "%s", id ? id : "");
        reader->abstract = NULL;
        reader->level = NULL;
    } else if (strcmp(name, "abstractNumId") == 0 && value && reader->list[0]) {
        void *abstract = cria_map_get(&reader->lists->abstracts, cria_str_from(value));
        if (abstract && !cria_map_put(&reader->lists->lists, cria_str_from(reader->list), abstract))
            reader->list[0] = '\0';
    } else if (reader->level && value) {
        if (strcmp(name, "numFmt") == 0)
            snprintf(reader->level->format, sizeof(reader->level->format), "%s", value);
        else if (strcmp(name, "lvlText") == 0)
            snprintf(reader->level->text, sizeof(reader->level->text), "%s", value);
        else if (strcmp(name, "start") == 0)
            reader->level->start = cria_xml_number(value, 1, 1 << 20);
    }
}

static void number_end(void *arg, const char *name)
{
    struct number_reader *reader = arg;
    if (strcmp(name, "lvl") == 0) reader->level = NULL;
    if (strcmp(name, "abstractNum") == 0) reader->abstract = NULL;
}

static void roman(unsigned number, char *out, size_t size)
{
    static const struct {
        unsigned value;
        const char *text;
    } parts[] = {{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"},
                 {90, "xc"},  {50, "l"},   {40, "xl"}, {10, "x"},   {9, "ix"},
                 {5, "v"},    {4, "iv"},   {1, "i"}};
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < CRIA_COUNT(parts) && number < 4000; i++)
        for (; number >= parts[i].value && n + 3 < size; number -= parts[i].value) {
            snprintf(out + n, size - n, "%s", parts[i].text);
            n += strlen(parts[i].text);
        }
}

static void write_number(const struct cria_docx_level *level, unsigned number, char *out,
                         size_t size)
{
    bool is_upper = strncmp(level->format, "upper", 5) == 0;
    if (strstr(level->format, "Letter")) {
        unsigned letter = number ? (number - 1) % 26 : 0;
        snprintf(out, size, "%c", (char)('a' + letter));
    } else if (strstr(level->format, "Roman")) {
        roman(number, out, size);
    } else {
        snprintf(out, size, "%u", number);
    }
    for (char *c = out; is_upper && *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
}

void cria_docx_label(struct cria_docx_lists *lists, unsigned list, unsigned level, char *out,
                     size_t size)
{
    char key[16], number[24];
    size_t n = 0;
    out[0] = '\0';
    snprintf(key, sizeof(key), "%u", list);
    struct cria_docx_abstract *abstract = cria_map_get(&lists->lists, cria_str_from(key));
    if (!abstract || level >= CRIA_DOCX_LEVELS || size < 8) return;
    struct cria_docx_level *at = &abstract->levels[level];
    abstract->counters[level] =
        abstract->is_begun[level] ? abstract->counters[level] + 1 : at->start;
    abstract->is_begun[level] = true;
    for (unsigned i = level + 1; i < CRIA_DOCX_LEVELS; i++) abstract->is_begun[i] = false;
    if (strcmp(at->format, "none") == 0) return;
    if (strcmp(at->format, "bullet") == 0 || at->format[0] == '\0') {
        snprintf(out, size, "- ");
        return;
    }
    for (const char *c = at->text; *c && n + 2 < size; c++) {
        if (*c != '%' || c[1] < '1' || c[1] > '9') {
            out[n++] = *c;
            continue;
        }
        unsigned of = (unsigned)(*++c - '1');
        struct cria_docx_level *other = &abstract->levels[of];
        if (!abstract->is_begun[of]) {
            abstract->is_begun[of] = true;
            abstract->counters[of] = other->start ? other->start : 1;
        }
        write_number(other, abstract->counters[of], number, sizeof(number));
        int wrote = snprintf(out + n, size - n - 1, "%s", number);
        n += wrote > 0 && (size_t)wrote < size - n - 1 ? (size_t)wrote : 0;
    }
    if (n) out[n++] = ' ';
    out[n] = '\0';
}

void cria_docx_lists_read(struct cria_docx_lists *lists, struct cria_zip *zip, struct cria_doc *doc)
{
    struct style_reader styles = {.lists = lists};
    struct number_reader numbers = {.lists = lists};
    const struct cria_xml_reader style_xml = {&styles, style_start, style_end, NULL};
    const struct cria_xml_reader number_xml = {&numbers, number_start, number_end, NULL};
    *lists = (struct cria_docx_lists){.arena = &doc->arena};
    struct cria_str part = cria_zip_read(zip, "word/styles.xml");
    if (part.ptr) cria_xml_walk(doc, part, "word/styles.xml", &style_xml);
    part = cria_zip_read(zip, "word/numbering.xml");
    if (part.ptr) cria_xml_walk(doc, part, "word/numbering.xml", &number_xml);
}

void cria_docx_lists_release(struct cria_docx_lists *lists)
{
    cria_map_release(&lists->styles);
    cria_map_release(&lists->abstracts);
    cria_map_release(&lists->lists);
}
