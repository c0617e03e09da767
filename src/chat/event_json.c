/* event_json.c - the JSON of each event, in the member order of the contract's example. */
#include "base/json_out.h"
#include "chat/events.h"

void cria_event_text_write(struct cria_buf *buf, const char *type, struct cria_str content,
                           struct cria_str members)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "type", type);
    cria_out_member_str(&out, "content", content);
    cria_buf_add(buf, members);
    cria_out_end(&out);
}

void cria_event_call_write(struct cria_buf *buf, struct cria_str call_id, struct cria_str name,
                           struct cria_str arguments_json)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "type", "tool_call");
    cria_out_member_str(&out, "call_id", call_id);
    cria_out_member_str(&out, "name", name);
    cria_out_member_raw(&out, "arguments", arguments_json);
    cria_out_end(&out);
}

void cria_event_result_write(struct cria_buf *buf, struct cria_str call_id, struct cria_str name,
                             struct cria_str result_json)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "type", "tool_result");
    cria_out_member_str(&out, "call_id", call_id);
    cria_out_member_str(&out, "name", name);
    cria_out_member_raw(&out, "result", result_json);
    cria_out_member_null(&out, "image_attachment");
    cria_out_end(&out);
}

static void member_tokens(struct cria_json_out *out, const char *name, int64_t tokens)
{
    if (tokens < 0)
        cria_out_member_null(out, name);
    else
        cria_out_member_int(out, name, tokens);
}

void cria_event_stop_write(struct cria_buf *buf, struct cria_str error,
                           const struct cria_turn_usage *usage, struct cria_str skipped_json)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "type", "stop");
    cria_out_member_bool(&out, "is_error", error.ptr != NULL);
    cria_out_member_opt(&out, "error", error);
    cria_out_name(&out, "usage");
    cria_out_object(&out);
    cria_out_member_real(&out, "duration_ms", usage->duration_ms);
    member_tokens(&out, "total_input_tokens", usage->input_tokens);
    member_tokens(&out, "total_output_tokens", usage->output_tokens);
    cria_out_member_int(&out, "turns", usage->turns);
    cria_out_end(&out);
    cria_out_member_raw(&out, "skipped_index_ids", skipped_json);
    cria_out_end(&out);
}

void cria_job_metadata_write(struct cria_buf *buf, struct cria_str error,
                             const struct cria_turn_usage *usage, struct cria_str exports_json)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_real(&out, "duration_ms", usage->duration_ms);
    cria_out_member_opt(&out, "error", error);
    cria_out_member_raw(&out, "export_config_ids", exports_json);
    cria_out_member_bool(&out, "is_error", error.ptr != NULL);
    member_tokens(&out, "total_input_tokens", usage->input_tokens);
    member_tokens(&out, "total_output_tokens", usage->output_tokens);
    cria_out_member_int(&out, "turns", usage->turns);
    cria_out_end(&out);
}

void cria_tool_error_write(struct cria_buf *buf, struct cria_str sentence)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_str(&out, "error", sentence);
    cria_out_end(&out);
}
