/* api.c - made by sdk/generate from api/openapi.yaml; change those instead. */
/* clang-format off */
#include <cria/cria.h>

#include "runtime.h"

size_t cria_list_count(const struct cria_list *of)
{
    return sdk_list_count(of);
}

const struct cria_project *cria_list_at(const struct cria_list *of, size_t n)
{
    return sdk_list_at(of, n);
}

const char *cria_presigned_url_url(const struct cria_presigned_url *of)
{
    return sdk_text(of, "url");
}

const char *cria_presigned_url_expires_at(const struct cria_presigned_url *of)
{
    return sdk_text(of, "expires_at");
}

size_t cria_attachment_page_items_count(const struct cria_attachment_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_attachment *cria_attachment_page_items_at(const struct cria_attachment_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_attachment_page_next_page_token(const struct cria_attachment_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_attachment_page_total_size(const struct cria_attachment_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_attachment_name(const struct cria_attachment *of)
{
    return sdk_text(of, "name");
}

int64_t cria_attachment_size(const struct cria_attachment *of)
{
    return sdk_int(of, "size");
}

const char *cria_attachment_last_modified(const struct cria_attachment *of)
{
    return sdk_text(of, "last_modified");
}

const char *cria_chat_summary_session_id(const struct cria_chat_summary *of)
{
    return sdk_text(of, "session_id");
}

const char *cria_chat_summary_last_updated_at(const struct cria_chat_summary *of)
{
    return sdk_text(of, "last_updated_at");
}

const char *cria_chat_summary_shared_access(const struct cria_chat_summary *of)
{
    return sdk_text(of, "shared_access");
}

const char *cria_chat_summary_generated_title(const struct cria_chat_summary *of)
{
    return sdk_text(of, "generated_title");
}

size_t cria_chat_summary_index_ids_count(const struct cria_chat_summary *of)
{
    return sdk_count(of, "index_ids");
}

const char *cria_chat_summary_index_ids_at(const struct cria_chat_summary *of, size_t n)
{
    return sdk_text_at(of, "index_ids", n);
}

const struct cria_chat_job *cria_chat_summary_job_metadata(const struct cria_chat_summary *of)
{
    return sdk_object(of, "job_metadata");
}

double cria_chat_job_duration_ms(const struct cria_chat_job *of)
{
    return sdk_real(of, "duration_ms");
}

const char *cria_chat_job_error(const struct cria_chat_job *of)
{
    return sdk_text(of, "error");
}

size_t cria_chat_job_export_config_ids_count(const struct cria_chat_job *of)
{
    return sdk_count(of, "export_config_ids");
}

const char *cria_chat_job_export_config_ids_at(const struct cria_chat_job *of, size_t n)
{
    return sdk_text_at(of, "export_config_ids", n);
}

bool cria_chat_job_is_error(const struct cria_chat_job *of)
{
    return sdk_bool(of, "is_error");
}

int64_t cria_chat_job_total_input_tokens(const struct cria_chat_job *of)
{
    return sdk_int(of, "total_input_tokens");
}

int64_t cria_chat_job_total_output_tokens(const struct cria_chat_job *of)
{
    return sdk_int(of, "total_output_tokens");
}

int64_t cria_chat_job_turns(const struct cria_chat_job *of)
{
    return sdk_int(of, "turns");
}

const char *cria_chat_session_id(const struct cria_chat *of)
{
    return sdk_text(of, "session_id");
}

const char *cria_chat_last_updated_at(const struct cria_chat *of)
{
    return sdk_text(of, "last_updated_at");
}

const char *cria_chat_shared_access(const struct cria_chat *of)
{
    return sdk_text(of, "shared_access");
}

const char *cria_chat_generated_title(const struct cria_chat *of)
{
    return sdk_text(of, "generated_title");
}

size_t cria_chat_index_ids_count(const struct cria_chat *of)
{
    return sdk_count(of, "index_ids");
}

const char *cria_chat_index_ids_at(const struct cria_chat *of, size_t n)
{
    return sdk_text_at(of, "index_ids", n);
}

const struct cria_chat_job *cria_chat_job_metadata(const struct cria_chat *of)
{
    return sdk_object(of, "job_metadata");
}

size_t cria_chat_events_count(const struct cria_chat *of)
{
    return sdk_count(of, "events");
}

const struct cria_event *cria_chat_events_at(const struct cria_chat *of, size_t n)
{
    return sdk_object_at(of, "events", n);
}

size_t cria_chat_session_page_items_count(const struct cria_chat_session_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_chat_summary *cria_chat_session_page_items_at(const struct cria_chat_session_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_chat_session_page_next_page_token(const struct cria_chat_session_page *of)
{
    return sdk_text(of, "next_page_token");
}

const char *cria_directory_file_id(const struct cria_directory_file *of)
{
    return sdk_text(of, "id");
}

const char *cria_directory_file_directory_id(const struct cria_directory_file *of)
{
    return sdk_text(of, "directory_id");
}

const char *cria_directory_file_display_name(const struct cria_directory_file *of)
{
    return sdk_text(of, "display_name");
}

const char *cria_directory_file_project_id(const struct cria_directory_file *of)
{
    return sdk_text(of, "project_id");
}

const char *cria_directory_file_unique_id(const struct cria_directory_file *of)
{
    return sdk_text(of, "unique_id");
}

const char *cria_directory_file_created_at(const struct cria_directory_file *of)
{
    return sdk_text(of, "created_at");
}

const char *cria_directory_file_updated_at(const struct cria_directory_file *of)
{
    return sdk_text(of, "updated_at");
}

const char *cria_directory_file_deleted_at(const struct cria_directory_file *of)
{
    return sdk_text(of, "deleted_at");
}

const struct cria_presigned_url *cria_directory_file_download_url(const struct cria_directory_file *of)
{
    return sdk_object(of, "download_url");
}

const char *cria_directory_file_file_id(const struct cria_directory_file *of)
{
    return sdk_text(of, "file_id");
}

size_t cria_directory_file_page_items_count(const struct cria_directory_file_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_directory_file *cria_directory_file_page_items_at(const struct cria_directory_file_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_directory_file_page_next_page_token(const struct cria_directory_file_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_directory_file_page_total_size(const struct cria_directory_file_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_directory_id(const struct cria_directory *of)
{
    return sdk_text(of, "id");
}

const char *cria_directory_name(const struct cria_directory *of)
{
    return sdk_text(of, "name");
}

const char *cria_directory_project_id(const struct cria_directory *of)
{
    return sdk_text(of, "project_id");
}

const char *cria_directory_connector_subscription_id(const struct cria_directory *of)
{
    return sdk_text(of, "connector_subscription_id");
}

const char *cria_directory_created_at(const struct cria_directory *of)
{
    return sdk_text(of, "created_at");
}

const char *cria_directory_updated_at(const struct cria_directory *of)
{
    return sdk_text(of, "updated_at");
}

const char *cria_directory_deleted_at(const struct cria_directory *of)
{
    return sdk_text(of, "deleted_at");
}

const char *cria_directory_description(const struct cria_directory *of)
{
    return sdk_text(of, "description");
}

const char *cria_directory_expires_at(const struct cria_directory *of)
{
    return sdk_text(of, "expires_at");
}

const char *cria_directory_type(const struct cria_directory *of)
{
    return sdk_text(of, "type");
}

size_t cria_directory_page_items_count(const struct cria_directory_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_directory *cria_directory_page_items_at(const struct cria_directory_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_directory_page_next_page_token(const struct cria_directory_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_directory_page_total_size(const struct cria_directory_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_index_id(const struct cria_index *of)
{
    return sdk_text(of, "id");
}

const char *cria_index_export_config_id(const struct cria_index *of)
{
    return sdk_text(of, "export_config_id");
}

const char *cria_index_name(const struct cria_index *of)
{
    return sdk_text(of, "name");
}

const char *cria_index_output_directory_id(const struct cria_index *of)
{
    return sdk_text(of, "output_directory_id");
}

const char *cria_index_project_id(const struct cria_index *of)
{
    return sdk_text(of, "project_id");
}

const char *cria_index_source_directory_id(const struct cria_index *of)
{
    return sdk_text(of, "source_directory_id");
}

const char *cria_index_sync_config_id(const struct cria_index *of)
{
    return sdk_text(of, "sync_config_id");
}

const char *cria_index_created_at(const struct cria_index *of)
{
    return sdk_text(of, "created_at");
}

const char *cria_index_updated_at(const struct cria_index *of)
{
    return sdk_text(of, "updated_at");
}

const char *cria_index_description(const struct cria_index *of)
{
    return sdk_text(of, "description");
}

const char *cria_index_last_synced_at(const struct cria_index *of)
{
    return sdk_text(of, "last_synced_at");
}

const char *cria_index_last_exported_at(const struct cria_index *of)
{
    return sdk_text(of, "last_exported_at");
}

const struct cria_index_metadata *cria_index_metadata(const struct cria_index *of)
{
    return sdk_object(of, "metadata");
}

bool cria_index_sync_in_progress(const struct cria_index *of)
{
    return sdk_bool(of, "sync_in_progress");
}

const char *cria_index_metadata_status(const struct cria_index_metadata *of)
{
    return sdk_text(of, "status");
}

const char *cria_index_metadata_error_message(const struct cria_index_metadata *of)
{
    return sdk_text(of, "error_message");
}

size_t cria_index_metadata_failed_files_count(const struct cria_index_metadata *of)
{
    return sdk_count(of, "failed_files");
}

const void *cria_index_metadata_failed_files_at(const struct cria_index_metadata *of, size_t n)
{
    return sdk_object_at(of, "failed_files", n);
}

size_t cria_index_page_items_count(const struct cria_index_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_index *cria_index_page_items_at(const struct cria_index_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_index_page_next_page_token(const struct cria_index_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_index_page_total_size(const struct cria_index_page *of)
{
    return sdk_int(of, "total_size");
}

size_t cria_file_find_page_items_count(const struct cria_file_find_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_found_file *cria_file_find_page_items_at(const struct cria_file_find_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_file_find_page_next_page_token(const struct cria_file_find_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_file_find_page_total_size(const struct cria_file_find_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_found_file_file_id(const struct cria_found_file *of)
{
    return sdk_text(of, "file_id");
}

const char *cria_found_file_file_name(const struct cria_found_file *of)
{
    return sdk_text(of, "file_name");
}

size_t cria_retrieved_results_count(const struct cria_retrieved *of)
{
    return sdk_count(of, "results");
}

const struct cria_retrieved_chunk *cria_retrieved_results_at(const struct cria_retrieved *of, size_t n)
{
    return sdk_object_at(of, "results", n);
}

const char *cria_retrieved_chunk_content(const struct cria_retrieved_chunk *of)
{
    return sdk_text(of, "content");
}

double cria_retrieved_chunk_score(const struct cria_retrieved_chunk *of)
{
    return sdk_real(of, "score");
}

double cria_retrieved_chunk_rerank_score(const struct cria_retrieved_chunk *of)
{
    return sdk_real(of, "rerank_score");
}

const struct cria_chunk_static_fields *cria_retrieved_chunk_static_fields(const struct cria_retrieved_chunk *of)
{
    return sdk_object(of, "static_fields");
}

size_t cria_chunk_static_fields_attachments_count(const struct cria_chunk_static_fields *of)
{
    return sdk_count(of, "attachments");
}

const struct cria_attachment_ref *cria_chunk_static_fields_attachments_at(const struct cria_chunk_static_fields *of, size_t n)
{
    return sdk_object_at(of, "attachments", n);
}

int64_t cria_chunk_static_fields_chunk_index(const struct cria_chunk_static_fields *of)
{
    return sdk_int(of, "chunk_index");
}

int64_t cria_chunk_static_fields_chunk_start_char(const struct cria_chunk_static_fields *of)
{
    return sdk_int(of, "chunk_start_char");
}

int64_t cria_chunk_static_fields_chunk_end_char(const struct cria_chunk_static_fields *of)
{
    return sdk_int(of, "chunk_end_char");
}

int64_t cria_chunk_static_fields_chunk_token_count(const struct cria_chunk_static_fields *of)
{
    return sdk_int(of, "chunk_token_count");
}

int64_t cria_chunk_static_fields_page_range_start(const struct cria_chunk_static_fields *of)
{
    return sdk_int(of, "page_range_start");
}

int64_t cria_chunk_static_fields_page_range_end(const struct cria_chunk_static_fields *of)
{
    return sdk_int(of, "page_range_end");
}

const char *cria_chunk_static_fields_parsed_directory_file_id(const struct cria_chunk_static_fields *of)
{
    return sdk_text(of, "parsed_directory_file_id");
}

const char *cria_attachment_ref_attachment_name(const struct cria_attachment_ref *of)
{
    return sdk_text(of, "attachment_name");
}

const char *cria_attachment_ref_source_id(const struct cria_attachment_ref *of)
{
    return sdk_text(of, "source_id");
}

const char *cria_attachment_ref_type(const struct cria_attachment_ref *of)
{
    return sdk_text(of, "type");
}

size_t cria_file_grep_page_items_count(const struct cria_file_grep_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_grep_match *cria_file_grep_page_items_at(const struct cria_file_grep_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_file_grep_page_next_page_token(const struct cria_file_grep_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_file_grep_page_total_size(const struct cria_file_grep_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_grep_match_content(const struct cria_grep_match *of)
{
    return sdk_text(of, "content");
}

int64_t cria_grep_match_start_char(const struct cria_grep_match *of)
{
    return sdk_int(of, "start_char");
}

int64_t cria_grep_match_end_char(const struct cria_grep_match *of)
{
    return sdk_int(of, "end_char");
}

const char *cria_file_text_content(const struct cria_file_text *of)
{
    return sdk_text(of, "content");
}

const char *cria_configuration_id(const struct cria_configuration *of)
{
    return sdk_text(of, "id");
}

const char *cria_configuration_name(const struct cria_configuration *of)
{
    return sdk_text(of, "name");
}

const char *cria_configuration_product_type(const struct cria_configuration *of)
{
    return sdk_text(of, "product_type");
}

const char *cria_configuration_version(const struct cria_configuration *of)
{
    return sdk_text(of, "version");
}

const char *cria_configuration_created_at(const struct cria_configuration *of)
{
    return sdk_text(of, "created_at");
}

const char *cria_configuration_updated_at(const struct cria_configuration *of)
{
    return sdk_text(of, "updated_at");
}

size_t cria_configuration_page_items_count(const struct cria_configuration_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_configuration *cria_configuration_page_items_at(const struct cria_configuration_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_configuration_page_next_page_token(const struct cria_configuration_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_configuration_page_total_size(const struct cria_configuration_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_file_id(const struct cria_file *of)
{
    return sdk_text(of, "id");
}

const char *cria_file_name(const struct cria_file *of)
{
    return sdk_text(of, "name");
}

const char *cria_file_project_id(const struct cria_file *of)
{
    return sdk_text(of, "project_id");
}

const struct cria_presigned_url *cria_file_download_url(const struct cria_file *of)
{
    return sdk_object(of, "download_url");
}

const char *cria_file_expires_at(const struct cria_file *of)
{
    return sdk_text(of, "expires_at");
}

const char *cria_file_external_file_id(const struct cria_file *of)
{
    return sdk_text(of, "external_file_id");
}

const char *cria_file_file_type(const struct cria_file *of)
{
    return sdk_text(of, "file_type");
}

const char *cria_file_last_modified_at(const struct cria_file *of)
{
    return sdk_text(of, "last_modified_at");
}

const char *cria_file_purpose(const struct cria_file *of)
{
    return sdk_text(of, "purpose");
}

size_t cria_file_page_items_count(const struct cria_file_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_file *cria_file_page_items_at(const struct cria_file_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_file_page_next_page_token(const struct cria_file_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_file_page_total_size(const struct cria_file_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_project_id(const struct cria_project *of)
{
    return sdk_text(of, "id");
}

const char *cria_project_name(const struct cria_project *of)
{
    return sdk_text(of, "name");
}

const char *cria_project_organization_id(const struct cria_project *of)
{
    return sdk_text(of, "organization_id");
}

const char *cria_project_created_at(const struct cria_project *of)
{
    return sdk_text(of, "created_at");
}

const char *cria_project_updated_at(const struct cria_project *of)
{
    return sdk_text(of, "updated_at");
}

bool cria_project_is_default(const struct cria_project *of)
{
    return sdk_bool(of, "is_default");
}

size_t cria_project_page_items_count(const struct cria_project_page *of)
{
    return sdk_count(of, "items");
}

const struct cria_project *cria_project_page_items_at(const struct cria_project_page *of, size_t n)
{
    return sdk_object_at(of, "items", n);
}

const char *cria_project_page_next_page_token(const struct cria_project_page *of)
{
    return sdk_text(of, "next_page_token");
}

int64_t cria_project_page_total_size(const struct cria_project_page *of)
{
    return sdk_int(of, "total_size");
}

const char *cria_text_event_type(const struct cria_text_event *of)
{
    return sdk_text(of, "type");
}

const char *cria_text_event_content(const struct cria_text_event *of)
{
    return sdk_text(of, "content");
}

size_t cria_text_event_citations_count(const struct cria_text_event *of)
{
    return sdk_count(of, "citations");
}

const struct cria_citation *cria_text_event_citations_at(const struct cria_text_event *of, size_t n)
{
    return sdk_object_at(of, "citations", n);
}

const char *cria_text_event_grounding(const struct cria_text_event *of)
{
    return sdk_text(of, "grounding");
}

int64_t cria_citation_n(const struct cria_citation *of)
{
    return sdk_int(of, "n");
}

const char *cria_citation_index_id(const struct cria_citation *of)
{
    return sdk_text(of, "index_id");
}

const char *cria_citation_file_id(const struct cria_citation *of)
{
    return sdk_text(of, "file_id");
}

const char *cria_citation_file_name(const struct cria_citation *of)
{
    return sdk_text(of, "file_name");
}

int64_t cria_citation_page_start(const struct cria_citation *of)
{
    return sdk_int(of, "page_start");
}

int64_t cria_citation_page_end(const struct cria_citation *of)
{
    return sdk_int(of, "page_end");
}

int64_t cria_citation_char_start(const struct cria_citation *of)
{
    return sdk_int(of, "char_start");
}

int64_t cria_citation_char_end(const struct cria_citation *of)
{
    return sdk_int(of, "char_end");
}

const char *cria_citation_quote(const struct cria_citation *of)
{
    return sdk_text(of, "quote");
}

const char *cria_citation_support(const struct cria_citation *of)
{
    return sdk_text(of, "support");
}

const char *cria_tool_call_event_type(const struct cria_tool_call_event *of)
{
    return sdk_text(of, "type");
}

const char *cria_tool_call_event_call_id(const struct cria_tool_call_event *of)
{
    return sdk_text(of, "call_id");
}

const char *cria_tool_call_event_name(const struct cria_tool_call_event *of)
{
    return sdk_text(of, "name");
}

const char *cria_tool_result_event_type(const struct cria_tool_result_event *of)
{
    return sdk_text(of, "type");
}

const char *cria_tool_result_event_call_id(const struct cria_tool_result_event *of)
{
    return sdk_text(of, "call_id");
}

const char *cria_tool_result_event_name(const struct cria_tool_result_event *of)
{
    return sdk_text(of, "name");
}

const struct cria_image_attachment *cria_tool_result_event_image_attachment(const struct cria_tool_result_event *of)
{
    return sdk_object(of, "image_attachment");
}

const char *cria_image_attachment_attachment_name(const struct cria_image_attachment *of)
{
    return sdk_text(of, "attachment_name");
}

const char *cria_image_attachment_source_id(const struct cria_image_attachment *of)
{
    return sdk_text(of, "source_id");
}

const char *cria_stop_event_type(const struct cria_stop_event *of)
{
    return sdk_text(of, "type");
}

bool cria_stop_event_is_error(const struct cria_stop_event *of)
{
    return sdk_bool(of, "is_error");
}

const char *cria_stop_event_error(const struct cria_stop_event *of)
{
    return sdk_text(of, "error");
}

const struct cria_usage *cria_stop_event_usage(const struct cria_stop_event *of)
{
    return sdk_object(of, "usage");
}

size_t cria_stop_event_skipped_index_ids_count(const struct cria_stop_event *of)
{
    return sdk_count(of, "skipped_index_ids");
}

const char *cria_stop_event_skipped_index_ids_at(const struct cria_stop_event *of, size_t n)
{
    return sdk_text_at(of, "skipped_index_ids", n);
}

double cria_usage_duration_ms(const struct cria_usage *of)
{
    return sdk_real(of, "duration_ms");
}

int64_t cria_usage_total_input_tokens(const struct cria_usage *of)
{
    return sdk_int(of, "total_input_tokens");
}

int64_t cria_usage_total_output_tokens(const struct cria_usage *of)
{
    return sdk_int(of, "total_output_tokens");
}

int64_t cria_usage_turns(const struct cria_usage *of)
{
    return sdk_int(of, "turns");
}

static const struct sdk_field beta_attachments_get_fields[] = {
    {"source_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_get_params, source_id)},
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_get_params, project_id)},
};
static const struct sdk_operation beta_attachments_get_operation = {
    "beta_attachments_get", "GET", "/api/v1/beta/attachments/{attachment_name}", SDK_NO_BODY, beta_attachments_get_fields, SDK_COUNT(beta_attachments_get_fields), 1};

enum cria_code cria_beta_attachments_get(struct cria_client *client, const char *attachment_name, const struct cria_beta_attachments_get_params *params, struct cria_presigned_url **out)
{
    const char *const ids[] = {attachment_name};
    return sdk_call(client, &beta_attachments_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_attachments_list_fields[] = {
    {"source_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_list_params, source_id)},
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_attachments_list_params, page_token)},
};
static const struct sdk_operation beta_attachments_list_operation = {
    "beta_attachments_list", "GET", "/api/v1/beta/attachments", SDK_NO_BODY, beta_attachments_list_fields, SDK_COUNT(beta_attachments_list_fields), 0};

enum cria_code cria_beta_attachments_list(struct cria_client *client, const struct cria_beta_attachments_list_params *params, struct cria_attachment_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_attachments_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_attachments_list_all(struct cria_client *client, const struct cria_beta_attachments_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &beta_attachments_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_chat_cancel_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_cancel_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_cancel_params, project_id)},
};
static const struct sdk_operation beta_chat_cancel_operation = {
    "beta_chat_cancel", "POST", "/api/v1/chat/{session_id}/cancel", SDK_NO_BODY, beta_chat_cancel_fields, SDK_COUNT(beta_chat_cancel_fields), 1};

enum cria_code cria_beta_chat_cancel(struct cria_client *client, const char *session_id, const struct cria_beta_chat_cancel_params *params, struct cria_chat_summary **out)
{
    const char *const ids[] = {session_id};
    return sdk_call(client, &beta_chat_cancel_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_chat_delete_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_delete_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_delete_params, project_id)},
};
static const struct sdk_operation beta_chat_delete_operation = {
    "beta_chat_delete", "DELETE", "/api/v1/chat/{session_id}", SDK_NO_BODY, beta_chat_delete_fields, SDK_COUNT(beta_chat_delete_fields), 1};

enum cria_code cria_beta_chat_delete(struct cria_client *client, const char *session_id, const struct cria_beta_chat_delete_params *params)
{
    const char *const ids[] = {session_id};
    return sdk_call(client, &beta_chat_delete_operation, ids, params, params ? params->options : NULL, NULL);
}

static const struct sdk_field beta_chat_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_get_params, project_id)},
};
static const struct sdk_operation beta_chat_get_operation = {
    "beta_chat_get", "GET", "/api/v1/chat/{session_id}", SDK_NO_BODY, beta_chat_get_fields, SDK_COUNT(beta_chat_get_fields), 1};

enum cria_code cria_beta_chat_get(struct cria_client *client, const char *session_id, const struct cria_beta_chat_get_params *params, struct cria_chat **out)
{
    const char *const ids[] = {session_id};
    return sdk_call(client, &beta_chat_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_chat_get_summary_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_get_summary_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_get_summary_params, project_id)},
};
static const struct sdk_operation beta_chat_get_summary_operation = {
    "beta_chat_get_summary", "GET", "/api/v1/chat/{session_id}/summary", SDK_NO_BODY, beta_chat_get_summary_fields, SDK_COUNT(beta_chat_get_summary_fields), 1};

enum cria_code cria_beta_chat_get_summary(struct cria_client *client, const char *session_id, const struct cria_beta_chat_get_summary_params *params, struct cria_chat_summary **out)
{
    const char *const ids[] = {session_id};
    return sdk_call(client, &beta_chat_get_summary_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_chat_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_list_params, page_token)},
};
static const struct sdk_operation beta_chat_list_operation = {
    "beta_chat_list", "GET", "/api/v1/chat", SDK_NO_BODY, beta_chat_list_fields, SDK_COUNT(beta_chat_list_fields), 0};

enum cria_code cria_beta_chat_list(struct cria_client *client, const struct cria_beta_chat_list_params *params, struct cria_chat_session_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_chat_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_chat_list_all(struct cria_client *client, const struct cria_beta_chat_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &beta_chat_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_chat_new_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_new_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_new_params, project_id)},
    {"index_ids", SDK_TEXTS, SDK_IN_BODY, offsetof(struct cria_beta_chat_new_params, index_ids)},
    {"shared_access", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_chat_new_params, shared_access)},
};
static const struct sdk_operation beta_chat_new_operation = {
    "beta_chat_new", "POST", "/api/v1/chat", SDK_JSON_BODY, beta_chat_new_fields, SDK_COUNT(beta_chat_new_fields), 0};

enum cria_code cria_beta_chat_new(struct cria_client *client, const struct cria_beta_chat_new_params *params, struct cria_chat_summary **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_chat_new_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_chat_set_title_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_set_title_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_set_title_params, project_id)},
    {"first_message", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_chat_set_title_params, first_message)},
};
static const struct sdk_operation beta_chat_set_title_operation = {
    "beta_chat_set_title", "POST", "/api/v1/chat/{session_id}/title", SDK_JSON_BODY, beta_chat_set_title_fields, SDK_COUNT(beta_chat_set_title_fields), 1};

enum cria_code cria_beta_chat_set_title(struct cria_client *client, const char *session_id, const struct cria_beta_chat_set_title_params *params, struct cria_chat_summary **out)
{
    const char *const ids[] = {session_id};
    return sdk_call(client, &beta_chat_set_title_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_chat_stream_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_stream_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_chat_stream_params, project_id)},
    {"index_ids", SDK_TEXTS, SDK_IN_BODY, offsetof(struct cria_beta_chat_stream_params, index_ids)},
    {"prompt", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_chat_stream_params, prompt)},
    {"require_all_indexes", SDK_BOOL, SDK_IN_BODY, offsetof(struct cria_beta_chat_stream_params, require_all_indexes)},
};
static const struct sdk_operation beta_chat_stream_operation = {
    "beta_chat_stream", "POST", "/api/v1/chat/{session_id}/messages/stream", SDK_JSON_BODY, beta_chat_stream_fields, SDK_COUNT(beta_chat_stream_fields), 1};

enum cria_code cria_beta_chat_stream(struct cria_client *client, const char *session_id, const struct cria_beta_chat_stream_params *params, struct cria_stream **out)
{
    const char *const ids[] = {session_id};
    return sdk_stream_open(client, &beta_chat_stream_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_directories_delete_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_delete_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_delete_params, project_id)},
};
static const struct sdk_operation beta_directories_delete_operation = {
    "beta_directories_delete", "DELETE", "/api/v1/beta/directories/{directory_id}", SDK_NO_BODY, beta_directories_delete_fields, SDK_COUNT(beta_directories_delete_fields), 1};

enum cria_code cria_beta_directories_delete(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_delete_params *params)
{
    const char *const ids[] = {directory_id};
    return sdk_call(client, &beta_directories_delete_operation, ids, params, params ? params->options : NULL, NULL);
}

static const struct sdk_field beta_directories_files_add_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_add_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_add_params, project_id)},
    {"file_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_add_params, file_id)},
    {"display_name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_add_params, display_name)},
    {"unique_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_add_params, unique_id)},
    {"metadata", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_add_params, metadata_json)},
};
static const struct sdk_operation beta_directories_files_add_operation = {
    "beta_directories_files_add", "POST", "/api/v1/beta/directories/{directory_id}/files", SDK_JSON_BODY, beta_directories_files_add_fields, SDK_COUNT(beta_directories_files_add_fields), 1};

enum cria_code cria_beta_directories_files_add(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_add_params *params, struct cria_directory_file **out)
{
    const char *const ids[] = {directory_id};
    return sdk_call(client, &beta_directories_files_add_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_directories_files_delete_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_delete_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_delete_params, project_id)},
};
static const struct sdk_operation beta_directories_files_delete_operation = {
    "beta_directories_files_delete", "DELETE", "/api/v1/beta/directories/{directory_id}/files/{directory_file_id}", SDK_NO_BODY, beta_directories_files_delete_fields, SDK_COUNT(beta_directories_files_delete_fields), 2};

enum cria_code cria_beta_directories_files_delete(struct cria_client *client, const char *directory_id, const char *directory_file_id, const struct cria_beta_directories_files_delete_params *params)
{
    const char *const ids[] = {directory_id, directory_file_id};
    return sdk_call(client, &beta_directories_files_delete_operation, ids, params, params ? params->options : NULL, NULL);
}

static const struct sdk_field beta_directories_files_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_get_params, project_id)},
    {"expand", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_get_params, expand)},
};
static const struct sdk_operation beta_directories_files_get_operation = {
    "beta_directories_files_get", "GET", "/api/v1/beta/directories/{directory_id}/files/{directory_file_id}", SDK_NO_BODY, beta_directories_files_get_fields, SDK_COUNT(beta_directories_files_get_fields), 2};

enum cria_code cria_beta_directories_files_get(struct cria_client *client, const char *directory_id, const char *directory_file_id, const struct cria_beta_directories_files_get_params *params, struct cria_directory_file **out)
{
    const char *const ids[] = {directory_id, directory_file_id};
    return sdk_call(client, &beta_directories_files_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_directories_files_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, page_token)},
    {"display_name", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, display_name)},
    {"display_name_contains", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, display_name_contains)},
    {"unique_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, unique_id)},
    {"file_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, file_id)},
    {"updated_at_on_or_after", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, updated_at_on_or_after)},
    {"updated_at_on_or_before", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, updated_at_on_or_before)},
    {"include_deleted", SDK_BOOL, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, include_deleted)},
    {"expand", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_list_params, expand)},
};
static const struct sdk_operation beta_directories_files_list_operation = {
    "beta_directories_files_list", "GET", "/api/v1/beta/directories/{directory_id}/files", SDK_NO_BODY, beta_directories_files_list_fields, SDK_COUNT(beta_directories_files_list_fields), 1};

enum cria_code cria_beta_directories_files_list(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_list_params *params, struct cria_directory_file_page **out)
{
    const char *const ids[] = {directory_id};
    return sdk_call(client, &beta_directories_files_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_directories_files_list_all(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {directory_id};
    return sdk_iterate(client, &beta_directories_files_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_directories_files_update_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_update_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_update_params, project_id)},
    {"display_name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_update_params, display_name)},
    {"unique_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_update_params, unique_id)},
    {"metadata", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_update_params, metadata_json)},
    {"target_directory_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_update_params, target_directory_id)},
    {"directory_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_files_update_params, directory_id)},
};
static const struct sdk_operation beta_directories_files_update_operation = {
    "beta_directories_files_update", "PATCH", "/api/v1/beta/directories/{directory_id}/files/{directory_file_id}", SDK_JSON_BODY, beta_directories_files_update_fields, SDK_COUNT(beta_directories_files_update_fields), 2};

enum cria_code cria_beta_directories_files_update(struct cria_client *client, const char *directory_id, const char *directory_file_id, const struct cria_beta_directories_files_update_params *params, struct cria_directory_file **out)
{
    const char *const ids[] = {directory_id, directory_file_id};
    return sdk_call(client, &beta_directories_files_update_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_directories_files_upload_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_upload_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_files_upload_params, project_id)},
    {"upload_file", SDK_UPLOAD, SDK_IN_FORM, offsetof(struct cria_beta_directories_files_upload_params, upload_file)},
    {"display_name", SDK_TEXT, SDK_IN_FORM, offsetof(struct cria_beta_directories_files_upload_params, display_name)},
    {"unique_id", SDK_TEXT, SDK_IN_FORM, offsetof(struct cria_beta_directories_files_upload_params, unique_id)},
    {"external_file_id", SDK_TEXT, SDK_IN_FORM, offsetof(struct cria_beta_directories_files_upload_params, external_file_id)},
    {"metadata", SDK_TEXT, SDK_IN_FORM, offsetof(struct cria_beta_directories_files_upload_params, metadata)},
};
static const struct sdk_operation beta_directories_files_upload_operation = {
    "beta_directories_files_upload", "POST", "/api/v1/beta/directories/{directory_id}/files/upload", SDK_FORM, beta_directories_files_upload_fields, SDK_COUNT(beta_directories_files_upload_fields), 1};

enum cria_code cria_beta_directories_files_upload(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_upload_params *params, struct cria_directory_file **out)
{
    const char *const ids[] = {directory_id};
    return sdk_call(client, &beta_directories_files_upload_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_directories_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_get_params, project_id)},
};
static const struct sdk_operation beta_directories_get_operation = {
    "beta_directories_get", "GET", "/api/v1/beta/directories/{directory_id}", SDK_NO_BODY, beta_directories_get_fields, SDK_COUNT(beta_directories_get_fields), 1};

enum cria_code cria_beta_directories_get(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_get_params *params, struct cria_directory **out)
{
    const char *const ids[] = {directory_id};
    return sdk_call(client, &beta_directories_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_directories_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, page_token)},
    {"name", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, name)},
    {"type", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, type)},
    {"types", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, types)},
    {"include_deleted", SDK_BOOL, SDK_IN_QUERY, offsetof(struct cria_beta_directories_list_params, include_deleted)},
};
static const struct sdk_operation beta_directories_list_operation = {
    "beta_directories_list", "GET", "/api/v1/beta/directories", SDK_NO_BODY, beta_directories_list_fields, SDK_COUNT(beta_directories_list_fields), 0};

enum cria_code cria_beta_directories_list(struct cria_client *client, const struct cria_beta_directories_list_params *params, struct cria_directory_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_directories_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_directories_list_all(struct cria_client *client, const struct cria_beta_directories_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &beta_directories_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_directories_new_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_new_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_new_params, project_id)},
    {"name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_new_params, name)},
    {"description", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_new_params, description)},
    {"type", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_new_params, type)},
    {"connector_subscription_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_new_params, connector_subscription_id)},
    {"system_metadata", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_directories_new_params, system_metadata_json)},
};
static const struct sdk_operation beta_directories_new_operation = {
    "beta_directories_new", "POST", "/api/v1/beta/directories", SDK_JSON_BODY, beta_directories_new_fields, SDK_COUNT(beta_directories_new_fields), 0};

enum cria_code cria_beta_directories_new(struct cria_client *client, const struct cria_beta_directories_new_params *params, struct cria_directory **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_directories_new_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_directories_update_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_update_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_directories_update_params, project_id)},
    {"name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_update_params, name)},
    {"description", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_directories_update_params, description)},
};
static const struct sdk_operation beta_directories_update_operation = {
    "beta_directories_update", "PATCH", "/api/v1/beta/directories/{directory_id}", SDK_JSON_BODY, beta_directories_update_fields, SDK_COUNT(beta_directories_update_fields), 1};

enum cria_code cria_beta_directories_update(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_update_params *params, struct cria_directory **out)
{
    const char *const ids[] = {directory_id};
    return sdk_call(client, &beta_directories_update_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_indexes_cancel_sync_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_cancel_sync_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_cancel_sync_params, project_id)},
};
static const struct sdk_operation beta_indexes_cancel_sync_operation = {
    "beta_indexes_cancel_sync", "POST", "/api/v1/indexes/{index_id}/sync/cancel", SDK_NO_BODY, beta_indexes_cancel_sync_fields, SDK_COUNT(beta_indexes_cancel_sync_fields), 1};

enum cria_code cria_beta_indexes_cancel_sync(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_cancel_sync_params *params, struct cria_empty **out)
{
    const char *const ids[] = {index_id};
    return sdk_call(client, &beta_indexes_cancel_sync_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_indexes_delete_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_delete_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_delete_params, project_id)},
};
static const struct sdk_operation beta_indexes_delete_operation = {
    "beta_indexes_delete", "DELETE", "/api/v1/indexes/{index_id}", SDK_NO_BODY, beta_indexes_delete_fields, SDK_COUNT(beta_indexes_delete_fields), 1};

enum cria_code cria_beta_indexes_delete(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_delete_params *params)
{
    const char *const ids[] = {index_id};
    return sdk_call(client, &beta_indexes_delete_operation, ids, params, params ? params->options : NULL, NULL);
}

static const struct sdk_field beta_indexes_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_get_params, project_id)},
    {"expand", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_get_params, expand)},
};
static const struct sdk_operation beta_indexes_get_operation = {
    "beta_indexes_get", "GET", "/api/v1/indexes/{index_id}", SDK_NO_BODY, beta_indexes_get_fields, SDK_COUNT(beta_indexes_get_fields), 1};

enum cria_code cria_beta_indexes_get(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_get_params *params, struct cria_index **out)
{
    const char *const ids[] = {index_id};
    return sdk_call(client, &beta_indexes_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_indexes_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_list_params, page_token)},
    {"source_directory_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_list_params, source_directory_id)},
};
static const struct sdk_operation beta_indexes_list_operation = {
    "beta_indexes_list", "GET", "/api/v1/indexes", SDK_NO_BODY, beta_indexes_list_fields, SDK_COUNT(beta_indexes_list_fields), 0};

enum cria_code cria_beta_indexes_list(struct cria_client *client, const struct cria_beta_indexes_list_params *params, struct cria_index_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_indexes_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_indexes_list_all(struct cria_client *client, const struct cria_beta_indexes_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &beta_indexes_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_indexes_new_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_new_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_new_params, project_id)},
    {"source_directory_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, source_directory_id)},
    {"name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, name)},
    {"description", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, description)},
    {"products", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, products_json)},
    {"store_attachments", SDK_TEXTS, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, store_attachments)},
    {"sync_frequency", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, sync_frequency)},
    {"vector_target", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_indexes_new_params, vector_target)},
};
static const struct sdk_operation beta_indexes_new_operation = {
    "beta_indexes_new", "POST", "/api/v1/indexes", SDK_JSON_BODY, beta_indexes_new_fields, SDK_COUNT(beta_indexes_new_fields), 0};

enum cria_code cria_beta_indexes_new(struct cria_client *client, const struct cria_beta_indexes_new_params *params, struct cria_index **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_indexes_new_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_indexes_sync_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_sync_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_indexes_sync_params, project_id)},
};
static const struct sdk_operation beta_indexes_sync_operation = {
    "beta_indexes_sync", "POST", "/api/v1/indexes/{index_id}/sync", SDK_NO_BODY, beta_indexes_sync_fields, SDK_COUNT(beta_indexes_sync_fields), 1};

enum cria_code cria_beta_indexes_sync(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_sync_params *params, struct cria_empty **out)
{
    const char *const ids[] = {index_id};
    return sdk_call(client, &beta_indexes_sync_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_retrieval_find_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_find_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_find_params, project_id)},
    {"index_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_find_params, index_id)},
    {"file_name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_find_params, file_name)},
    {"file_name_contains", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_find_params, file_name_contains)},
    {"page_size", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_find_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_find_params, page_token)},
};
static const struct sdk_operation beta_retrieval_find_operation = {
    "beta_retrieval_find", "POST", "/api/v1/retrieval/files/find", SDK_JSON_BODY, beta_retrieval_find_fields, SDK_COUNT(beta_retrieval_find_fields), 0};

enum cria_code cria_beta_retrieval_find(struct cria_client *client, const struct cria_beta_retrieval_find_params *params, struct cria_file_find_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_retrieval_find_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_retrieval_find_all(struct cria_client *client, const struct cria_beta_retrieval_find_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &beta_retrieval_find_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_retrieval_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_get_params, project_id)},
    {"index_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, index_id)},
    {"query", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, query)},
    {"top_k", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, top_k)},
    {"vector_pipeline_weight", SDK_REAL, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, vector_pipeline_weight)},
    {"full_text_pipeline_weight", SDK_REAL, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, full_text_pipeline_weight)},
    {"num_candidates", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, num_candidates)},
    {"score_threshold", SDK_REAL, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, score_threshold)},
    {"static_filters", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, static_filters_json)},
    {"custom_filters", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, custom_filters_json)},
    {"rerank", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_get_params, rerank_json)},
};
static const struct sdk_operation beta_retrieval_get_operation = {
    "beta_retrieval_get", "POST", "/api/v1/retrieval/retrieve", SDK_JSON_BODY, beta_retrieval_get_fields, SDK_COUNT(beta_retrieval_get_fields), 0};

enum cria_code cria_beta_retrieval_get(struct cria_client *client, const struct cria_beta_retrieval_get_params *params, struct cria_retrieved **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_retrieval_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field beta_retrieval_grep_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_grep_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_grep_params, project_id)},
    {"index_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_grep_params, index_id)},
    {"file_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_grep_params, file_id)},
    {"pattern", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_grep_params, pattern)},
    {"context_chars", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_grep_params, context_chars)},
    {"page_size", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_grep_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_grep_params, page_token)},
};
static const struct sdk_operation beta_retrieval_grep_operation = {
    "beta_retrieval_grep", "POST", "/api/v1/retrieval/files/grep", SDK_JSON_BODY, beta_retrieval_grep_fields, SDK_COUNT(beta_retrieval_grep_fields), 0};

enum cria_code cria_beta_retrieval_grep(struct cria_client *client, const struct cria_beta_retrieval_grep_params *params, struct cria_file_grep_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_retrieval_grep_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_beta_retrieval_grep_all(struct cria_client *client, const struct cria_beta_retrieval_grep_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &beta_retrieval_grep_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field beta_retrieval_read_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_read_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_beta_retrieval_read_params, project_id)},
    {"index_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_read_params, index_id)},
    {"file_id", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_read_params, file_id)},
    {"offset", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_read_params, offset)},
    {"max_length", SDK_INT, SDK_IN_BODY, offsetof(struct cria_beta_retrieval_read_params, max_length)},
};
static const struct sdk_operation beta_retrieval_read_operation = {
    "beta_retrieval_read", "POST", "/api/v1/retrieval/files/read", SDK_JSON_BODY, beta_retrieval_read_fields, SDK_COUNT(beta_retrieval_read_fields), 0};

enum cria_code cria_beta_retrieval_read(struct cria_client *client, const struct cria_beta_retrieval_read_params *params, struct cria_file_text **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &beta_retrieval_read_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field configurations_delete_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_delete_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_delete_params, project_id)},
};
static const struct sdk_operation configurations_delete_operation = {
    "configurations_delete", "DELETE", "/api/v1/beta/configurations/{config_id}", SDK_NO_BODY, configurations_delete_fields, SDK_COUNT(configurations_delete_fields), 1};

enum cria_code cria_configurations_delete(struct cria_client *client, const char *config_id, const struct cria_configurations_delete_params *params)
{
    const char *const ids[] = {config_id};
    return sdk_call(client, &configurations_delete_operation, ids, params, params ? params->options : NULL, NULL);
}

static const struct sdk_field configurations_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_get_params, project_id)},
};
static const struct sdk_operation configurations_get_operation = {
    "configurations_get", "GET", "/api/v1/beta/configurations/{config_id}", SDK_NO_BODY, configurations_get_fields, SDK_COUNT(configurations_get_fields), 1};

enum cria_code cria_configurations_get(struct cria_client *client, const char *config_id, const struct cria_configurations_get_params *params, struct cria_configuration **out)
{
    const char *const ids[] = {config_id};
    return sdk_call(client, &configurations_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field configurations_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, page_token)},
    {"name", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, name)},
    {"product_type", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, product_type)},
    {"latest_only", SDK_BOOL, SDK_IN_QUERY, offsetof(struct cria_configurations_list_params, latest_only)},
};
static const struct sdk_operation configurations_list_operation = {
    "configurations_list", "GET", "/api/v1/beta/configurations", SDK_NO_BODY, configurations_list_fields, SDK_COUNT(configurations_list_fields), 0};

enum cria_code cria_configurations_list(struct cria_client *client, const struct cria_configurations_list_params *params, struct cria_configuration_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &configurations_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_configurations_list_all(struct cria_client *client, const struct cria_configurations_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &configurations_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field configurations_new_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_new_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_new_params, project_id)},
    {"name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_configurations_new_params, name)},
    {"parameters", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_configurations_new_params, parameters_json)},
};
static const struct sdk_operation configurations_new_operation = {
    "configurations_new", "POST", "/api/v1/beta/configurations", SDK_JSON_BODY, configurations_new_fields, SDK_COUNT(configurations_new_fields), 0};

enum cria_code cria_configurations_new(struct cria_client *client, const struct cria_configurations_new_params *params, struct cria_configuration **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &configurations_new_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field configurations_update_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_update_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_configurations_update_params, project_id)},
    {"name", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_configurations_update_params, name)},
    {"parameters", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_configurations_update_params, parameters_json)},
};
static const struct sdk_operation configurations_update_operation = {
    "configurations_update", "PUT", "/api/v1/beta/configurations/{config_id}", SDK_JSON_BODY, configurations_update_fields, SDK_COUNT(configurations_update_fields), 1};

enum cria_code cria_configurations_update(struct cria_client *client, const char *config_id, const struct cria_configurations_update_params *params, struct cria_configuration **out)
{
    const char *const ids[] = {config_id};
    return sdk_call(client, &configurations_update_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field files_content_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_content_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_content_params, project_id)},
    {"expires_at_seconds", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_files_content_params, expires_at_seconds)},
};
static const struct sdk_operation files_content_operation = {
    "files_content", "GET", "/api/v1/beta/files/{file_id}/content", SDK_NO_BODY, files_content_fields, SDK_COUNT(files_content_fields), 1};

enum cria_code cria_files_content(struct cria_client *client, const char *file_id, const struct cria_files_content_params *params, struct cria_presigned_url **out)
{
    const char *const ids[] = {file_id};
    return sdk_call(client, &files_content_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field files_delete_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_delete_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_delete_params, project_id)},
};
static const struct sdk_operation files_delete_operation = {
    "files_delete", "DELETE", "/api/v1/beta/files/{file_id}", SDK_NO_BODY, files_delete_fields, SDK_COUNT(files_delete_fields), 1};

enum cria_code cria_files_delete(struct cria_client *client, const char *file_id, const struct cria_files_delete_params *params)
{
    const char *const ids[] = {file_id};
    return sdk_call(client, &files_delete_operation, ids, params, params ? params->options : NULL, NULL);
}

static const struct sdk_field files_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_get_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_get_params, project_id)},
    {"expand", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_files_get_params, expand)},
};
static const struct sdk_operation files_get_operation = {
    "files_get", "GET", "/api/v1/beta/files/{file_id}", SDK_NO_BODY, files_get_fields, SDK_COUNT(files_get_fields), 1};

enum cria_code cria_files_get(struct cria_client *client, const char *file_id, const struct cria_files_get_params *params, struct cria_file **out)
{
    const char *const ids[] = {file_id};
    return sdk_call(client, &files_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field files_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, project_id)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, page_token)},
    {"file_name", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, file_name)},
    {"file_ids", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_files_list_params, file_ids)},
    {"external_file_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, external_file_id)},
    {"order_by", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_list_params, order_by)},
    {"expand", SDK_TEXTS, SDK_IN_QUERY, offsetof(struct cria_files_list_params, expand)},
};
static const struct sdk_operation files_list_operation = {
    "files_list", "GET", "/api/v1/beta/files", SDK_NO_BODY, files_list_fields, SDK_COUNT(files_list_fields), 0};

enum cria_code cria_files_list(struct cria_client *client, const struct cria_files_list_params *params, struct cria_file_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &files_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_files_list_all(struct cria_client *client, const struct cria_files_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &files_list_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field files_new_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_new_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_new_params, project_id)},
    {"file", SDK_UPLOAD, SDK_IN_FORM, offsetof(struct cria_files_new_params, file)},
    {"purpose", SDK_TEXT, SDK_IN_FORM, offsetof(struct cria_files_new_params, purpose)},
    {"external_file_id", SDK_TEXT, SDK_IN_FORM, offsetof(struct cria_files_new_params, external_file_id)},
};
static const struct sdk_operation files_new_operation = {
    "files_new", "POST", "/api/v1/beta/files", SDK_FORM, files_new_fields, SDK_COUNT(files_new_fields), 0};

enum cria_code cria_files_new(struct cria_client *client, const struct cria_files_new_params *params, struct cria_file **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &files_new_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field files_query_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_query_params, organization_id)},
    {"project_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_files_query_params, project_id)},
    {"filter", SDK_JSON, SDK_IN_BODY, offsetof(struct cria_files_query_params, filter_json)},
    {"order_by", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_files_query_params, order_by)},
    {"page_size", SDK_INT, SDK_IN_BODY, offsetof(struct cria_files_query_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_BODY, offsetof(struct cria_files_query_params, page_token)},
};
static const struct sdk_operation files_query_operation = {
    "files_query", "POST", "/api/v1/beta/files/query", SDK_JSON_BODY, files_query_fields, SDK_COUNT(files_query_fields), 0};

enum cria_code cria_files_query(struct cria_client *client, const struct cria_files_query_params *params, struct cria_file_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &files_query_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_files_query_all(struct cria_client *client, const struct cria_files_query_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &files_query_operation, ids, params, params ? params->options : NULL, out);
}

static const struct sdk_field projects_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_projects_get_params, organization_id)},
};
static const struct sdk_operation projects_get_operation = {
    "projects_get", "GET", "/api/v1/projects/{project_id}", SDK_NO_BODY, projects_get_fields, SDK_COUNT(projects_get_fields), 1};

enum cria_code cria_projects_get(struct cria_client *client, const char *project_id, const struct cria_projects_get_params *params, struct cria_project **out)
{
    const char *const ids[] = {project_id};
    return sdk_call(client, &projects_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field projects_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_projects_list_params, organization_id)},
    {"project_name", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_projects_list_params, project_name)},
};
static const struct sdk_operation projects_list_operation = {
    "projects_list", "GET", "/api/v1/projects", SDK_NO_BODY, projects_list_fields, SDK_COUNT(projects_list_fields), 0};

enum cria_code cria_projects_list(struct cria_client *client, const struct cria_projects_list_params *params, struct cria_list **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &projects_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field v2_projects_get_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_v2_projects_get_params, organization_id)},
};
static const struct sdk_operation v2_projects_get_operation = {
    "v2_projects_get", "GET", "/api/v2/projects/{project_id}", SDK_NO_BODY, v2_projects_get_fields, SDK_COUNT(v2_projects_get_fields), 1};

enum cria_code cria_v2_projects_get(struct cria_client *client, const char *project_id, const struct cria_v2_projects_get_params *params, struct cria_project **out)
{
    const char *const ids[] = {project_id};
    return sdk_call(client, &v2_projects_get_operation, ids, params, params ? params->options : NULL, (void **)out);
}

static const struct sdk_field v2_projects_list_fields[] = {
    {"organization_id", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_v2_projects_list_params, organization_id)},
    {"name", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_v2_projects_list_params, name)},
    {"page_size", SDK_INT, SDK_IN_QUERY, offsetof(struct cria_v2_projects_list_params, page_size)},
    {"page_token", SDK_TEXT, SDK_IN_QUERY, offsetof(struct cria_v2_projects_list_params, page_token)},
};
static const struct sdk_operation v2_projects_list_operation = {
    "v2_projects_list", "GET", "/api/v2/projects", SDK_NO_BODY, v2_projects_list_fields, SDK_COUNT(v2_projects_list_fields), 0};

enum cria_code cria_v2_projects_list(struct cria_client *client, const struct cria_v2_projects_list_params *params, struct cria_project_page **out)
{
    const char *const ids[] = {NULL};
    return sdk_call(client, &v2_projects_list_operation, ids, params, params ? params->options : NULL, (void **)out);
}

enum cria_code cria_v2_projects_list_all(struct cria_client *client, const struct cria_v2_projects_list_params *params, struct cria_iterator **out)
{
    const char *const ids[] = {NULL};
    return sdk_iterate(client, &v2_projects_list_operation, ids, params, params ? params->options : NULL, out);
}

