#include "parser/parse_options.h"

#include "base/json.h"

static uint32_t page_number(int64_t value)
{
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* "1,3,5-8" */
static void read_ranges(struct cria_str text, struct cria_parse_options *out)
{
    struct cria_str part, first;
    int64_t from, to;
    while (text.len && out->range_count < CRIA_PAGE_RANGES_MAX) {
        cria_str_cut(&text, ',', &part);
        bool is_range = cria_str_cut(&part, '-', &first);
        if (!cria_str_to_int64(cria_str_trim(first), &from)) continue;
        to = from;
        if (is_range && !cria_str_to_int64(cria_str_trim(part), &to)) continue;
        out->ranges[out->range_count].from = page_number(from);
        out->ranges[out->range_count++].to = page_number(to);
    }
}

static double share(const struct cria_json *box, const char *side)
{
    const struct cria_json *value = cria_json_get(box, side);
    bool is_number = value && (value->kind == CRIA_JSON_INT || value->kind == CRIA_JSON_REAL);
    return is_number && value->real > 0 && value->real < 1 ? value->real : 0;
}

void cria_parse_options_read(struct cria_arena *arena, struct cria_str json,
                             struct cria_parse_options *out)
{
    const struct cria_json *value;
    const char *why;
    *out = (struct cria_parse_options){0};
    if (json.len == 0 || cria_json_parse(arena, json, &value, &why) != CRIA_OK) return;
    const struct cria_json *ranges = cria_json_get(value, "page_ranges"),
                           *box = cria_json_get(value, "crop_box");
    out->max_pages = page_number(cria_json_get_int(ranges, "max_pages", 0));
    read_ranges(cria_json_get_str(ranges, "target_pages"), out);
    out->crop_top = share(box, "top");
    out->crop_right = share(box, "right");
    out->crop_bottom = share(box, "bottom");
    out->crop_left = share(box, "left");
}

bool cria_parse_options_take(const struct cria_parse_options *options, uint32_t number)
{
    for (size_t i = 0; i < options->range_count; i++)
        if (number >= options->ranges[i].from && number <= options->ranges[i].to) return true;
    if (options->range_count) return false;
    return options->max_pages == 0 || number <= options->max_pages;
}
