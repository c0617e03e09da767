#include "parser/pdf/words.h"

#include <math.h>
#include <stdio.h> /* jpeglib.h wants it */
#include <stdlib.h>
/* clang-format off */
#include <jpeglib.h>
/* clang-format on */
#include <unistd.h>

#include "base/utf8.h"

enum { JPEG_QUALITY = 80, SIDEWAYS_LEAST = 6, EXIT_NO_JPEG = 70 };
/* A wider gap than this share of the line's height parts words that no blank parts. */
static const double WORD_GAP = 0.12;

/* ---- words */

struct collector {
    struct cria_arena *arena;
    struct cria_pdf_page *page;
    size_t capacity;
    struct cria_buf text; /* of the word at hand */
    struct cria_pdf_word word;
    double crop_x1, crop_y1, crop_x2, crop_y2;
};

static bool end_word(struct collector *c)
{
    struct cria_pdf_page *page = c->page;
    double x = (c->word.x1 + c->word.x2) / 2, y = (c->word.y1 + c->word.y2) / 2;
    bool is_inside = x >= c->crop_x1 && x <= c->crop_x2 && y >= c->crop_y1 && y <= c->crop_y2;
    if (c->text.len && is_inside) {
        if (page->word_count == c->capacity) {
            size_t capacity = c->capacity ? c->capacity * 2 : 256;
            struct cria_pdf_word *grown = CRIA_NEW_ARRAY(c->arena, capacity, struct cria_pdf_word);
            if (!grown) return false;
            if (page->word_count) memcpy(grown, page->words, page->word_count * sizeof(*grown));
            page->words = grown;
            c->capacity = capacity;
        }
        c->word.text = cria_arena_copy(c->arena, cria_buf_str(&c->text));
        if (!c->word.text.ptr) return false;
        page->words[page->word_count++] = c->word;
    }
    cria_buf_clear(&c->text);
    return true;
}

static bool is_blank(uint32_t c)
{
    return c <= ' ' || c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200B) || c == 0x202F ||
           c == 0xFEFF || c == 0x7F;
}

/* Ligatures are spelt out, so that words with them are found. */
static void add_char(struct cria_buf *text, uint32_t c)
{
    static const char *const ligatures[] = {"ff", "fi", "fl", "ffi", "ffl", "st", "st"};
    char bytes[4];
    if (c == 0xAD || c == CRIA_UTF8_BAD) return; /* a soft hyphen is drawn at line ends alone */
    if (c >= 0xFB00 && c <= 0xFB06)
        cria_buf_add_z(text, ligatures[c - 0xFB00]);
    else
        cria_buf_add(text, cria_str_make(bytes, cria_utf8_put(bytes, c)));
}

static bool is_bold(const char *font)
{
    return font && (strstr(font, "Bold") || strstr(font, "bold") || strstr(font, "Black") ||
                    strstr(font, "Heavy") || strstr(font, "Semibold"));
}

static bool take_char(struct collector *c, uint32_t code, const PopplerRectangle *box, double size,
                      bool bold)
{
    double height = box->y2 - box->y1;
    /* To the right, or, where people write that way, to the left. */
    double gap = fmax(box->x1 - c->word.x2, c->word.x1 - box->x2);
    if (is_blank(code)) return end_word(c);
    bool goes_on = c->text.len && fabs(box->y1 - c->word.y1) < fmax(height, 1) * 0.6 &&
                   gap < fmax(height * WORD_GAP, 0.5);
    if (!goes_on) {
        if (!end_word(c)) return false;
        c->word = (struct cria_pdf_word){.x1 = box->x1,
                                         .y1 = box->y1,
                                         .x2 = box->x2,
                                         .y2 = box->y2,
                                         .size = size,
                                         .is_bold = bold};
    }
    c->word.x1 = fmin(c->word.x1, box->x1);
    c->word.x2 = fmax(c->word.x2, box->x2);
    c->word.y1 = fmin(c->word.y1, box->y1);
    c->word.y2 = fmax(c->word.y2, box->y2);
    add_char(&c->text, code);
    return true;
}

static bool stands_on(const struct cria_pdf_word *a, const struct cria_pdf_word *b)
{
    double step = fabs(a->y1 - b->y1);
    return cria_utf8_count(a->text) <= 2 && cria_utf8_count(b->text) <= 2 &&
           fabs(a->x1 - b->x1) < 2.5 && step > 0.5 && step < 3 * fmax(a->size, 4);
}

/* Text that runs up or down a margin comes as letters above each other, which would stand between
 * the lines of the page: it is put together and told behind everything else. */
static bool gather_sideways(struct cria_pdf_page *page, struct cria_arena *arena)
{
    struct cria_pdf_word *words = page->words;
    size_t kept = 0, i = 0;
    double below = page->height;
    while (i < page->word_count) {
        size_t end = i + 1;
        while (end < page->word_count && stands_on(&words[end - 1], &words[end])) end++;
        if (end - i < SIDEWAYS_LEAST) {
            while (i < end) words[kept++] = words[i++];
            continue;
        }
        struct cria_buf text;
        cria_buf_init(&text, 1 << 16);
        for (size_t k = i; k < end; k++) {
            bool is_apart = k > i && fabs(words[k].y1 - words[k - 1].y1) > 1.15 * words[k].size;
            if (is_apart) cria_buf_add_char(&text, ' ');
            cria_buf_add(&text, words[k].text);
        }
        struct cria_pdf_word word = words[i];
        word.text = cria_arena_copy(arena, cria_buf_str(&text));
        cria_buf_release(&text);
        if (!word.text.ptr) return false;
        below += 3 * word.size;
        word.y1 = below;
        word.y2 = below + word.size;
        word.x2 = word.x1 + word.size;
        word.size = 1; /* no heading */
        words[kept++] = word;
        i = end;
    }
    page->word_count = kept;
    return true;
}

static void get_label(PopplerPage *page, struct cria_arena *arena, struct cria_pdf_page *out)
{
    char *label = poppler_page_get_label(page);
    out->label = label ? cria_arena_copy(arena, cria_str_from(label)) : CRIA_STR("");
    g_free(label);
}

bool cria_pdf_words(PopplerPage *page, const struct cria_parse_options *options,
                    struct cria_arena *arena, struct cria_pdf_page *out)
{
    PopplerRectangle *boxes = NULL;
    guint count = 0;
    size_t at = 0, n = 0;
    bool good = true;
    poppler_page_get_size(page, &out->width, &out->height);
    get_label(page, arena, out);
    struct collector c = {.arena = arena,
                          .page = out,
                          .crop_x1 = out->width * options->crop_left,
                          .crop_y1 = out->height * options->crop_top,
                          .crop_x2 = out->width * (1 - options->crop_right),
                          .crop_y2 = out->height * (1 - options->crop_bottom)};
    /* Without a crop box what lies beyond the edge stays. */
    if (c.crop_x1 == 0) c.crop_x1 = -INFINITY;
    if (c.crop_y1 == 0) c.crop_y1 = -INFINITY;
    if (options->crop_right == 0) c.crop_x2 = INFINITY;
    if (options->crop_bottom == 0) c.crop_y2 = INFINITY;
    cria_buf_init(&c.text, 1 << 16);
    char *utf8 = poppler_page_get_text(page);
    struct cria_str text = cria_str_from(utf8 ? utf8 : "");
    GList *attributes = utf8 ? poppler_page_get_text_attributes(page) : NULL;
    if (!utf8 || !poppler_page_get_text_layout(page, &boxes, &count)) count = 0;
    GList *range = attributes;
    while (at < text.len && n < count && good) {
        const PopplerTextAttributes *font = range ? range->data : NULL;
        while (font && (gint)n > font->end_index && range->next) {
            range = range->next;
            font = range->data;
        }
        uint32_t code = cria_utf8_next(text, &at);
        if (code >= 0x202A && code <= 0x202E) continue; /* poppler's marks of direction: no boxes */
        double height = boxes[n].y2 - boxes[n].y1;
        good =
            take_char(&c, code, &boxes[n], font && font->font_size > 1 ? font->font_size : height,
                      font && is_bold(font->font_name));
        n++;
    }
    good = good && end_word(&c) && !c.text.failed && gather_sideways(out, arena);
    if (attributes) poppler_page_free_text_attributes(attributes);
    g_free(boxes);
    g_free(utf8);
    cria_buf_release(&c.text);
    return good;
}

/* ---- pictures */

/* libjpeg wants this never to come back. It fails for want of memory alone; then this document's
 * process ends, and the server tells so. */
static void jpeg_failed(j_common_ptr info)
{
    (void)info;
    _exit(EXIT_NO_JPEG);
}

static void jpeg_silent(j_common_ptr info)
{
    (void)info;
}

/* Cairo's pixels are 32-bit words, 0xXXRRGGBB. */
static void encode_rows(struct jpeg_compress_struct *info, cairo_surface_t *surface,
                        unsigned char *row)
{
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    JSAMPROW rows[1] = {row};
    while (info->next_scanline < info->image_height) {
        const uint32_t *in = (const void *)(pixels + (size_t)stride * (size_t)info->next_scanline);
        for (unsigned x = 0; x < info->image_width; x++) {
            row[3 * x] = (unsigned char)(in[x] >> 16);
            row[3 * x + 1] = (unsigned char)(in[x] >> 8);
            row[3 * x + 2] = (unsigned char)in[x];
        }
        jpeg_write_scanlines(info, rows, 1);
    }
}

static bool encode(cairo_surface_t *surface, struct cria_buf *out)
{
    struct jpeg_compress_struct info = {0};
    struct jpeg_error_mgr error;
    unsigned char *written = NULL;
    unsigned long size = 0;
    int width = cairo_image_surface_get_width(surface);
    unsigned char *row = malloc((size_t)width * 3);
    if (!row) return false;
    info.err = jpeg_std_error(&error);
    error.error_exit = jpeg_failed;
    error.output_message = jpeg_silent;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &written, &size);
    info.image_width = (JDIMENSION)width;
    info.image_height = (JDIMENSION)cairo_image_surface_get_height(surface);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, JPEG_QUALITY, TRUE);
    jpeg_start_compress(&info, TRUE);
    encode_rows(&info, surface, row);
    jpeg_finish_compress(&info);
    cria_buf_add(out, cria_str_make((const char *)written, size));
    jpeg_destroy_compress(&info);
    free(written);
    free(row);
    return !out->failed;
}

bool cria_pdf_picture(PopplerPage *page, struct cria_buf *jpeg)
{
    double width, height, scale;
    bool good = false;
    poppler_page_get_size(page, &width, &height);
    if (!(width > 0 && height > 0)) return false;
    scale = CRIA_PICTURE_PIXELS / fmax(width, height);
    if (scale > 2) scale = 2;
    int w = (int)ceil(width * scale), h = (int)ceil(height * scale);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, w > 0 ? w : 1, h > 0 ? h : 1);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_scale(cairo, scale, scale);
    poppler_page_render(page, cairo);
    bool is_drawn = cairo_status(cairo) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (is_drawn && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS)
        good = encode(surface, jpeg);
    cairo_surface_destroy(surface);
    return good;
}
