/* api.h - made by sdk/generate from api/openapi.yaml; change those instead. */
/* clang-format off */
#ifndef CRIA_API_H
#define CRIA_API_H

#include <cria/cria.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results, and events by their types (an event whose type is "text" may be taken for a struct
 * cria_text_event, and so on): text accessors give NULL, the others 0 or false, where a member is absent or null;
 * cria_member_presence() tells which. */

struct cria_presigned_url;
struct cria_attachment_page;
struct cria_attachment;
struct cria_chat_summary;
struct cria_chat_job;
struct cria_chat;
struct cria_chat_session_page;
struct cria_directory_file;
struct cria_directory_file_page;
struct cria_directory;
struct cria_directory_page;
struct cria_index;
struct cria_index_metadata;
struct cria_index_page;
struct cria_file_find_page;
struct cria_found_file;
struct cria_retrieved;
struct cria_retrieved_chunk;
struct cria_chunk_static_fields;
struct cria_attachment_ref;
struct cria_file_grep_page;
struct cria_grep_match;
struct cria_file_text;
struct cria_configuration;
struct cria_configuration_page;
struct cria_file;
struct cria_file_page;
struct cria_project;
struct cria_project_page;
struct cria_text_event;
struct cria_citation;
struct cria_tool_call_event;
struct cria_tool_result_event;
struct cria_image_attachment;
struct cria_stop_event;
struct cria_usage;
struct cria_list; /* of projects */
struct cria_empty;

/** How many there are. */
CRIA_API size_t cria_list_count(const struct cria_list *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_project *cria_list_at(const struct cria_list *of, size_t n);

/** PresignedURL: A link that works without credentials for a while. */
/** Absolute link. */
CRIA_API const char *cria_presigned_url_url(const struct cria_presigned_url *of);
/** When it stops working. */
CRIA_API const char *cria_presigned_url_expires_at(const struct cria_presigned_url *of);

/** AttachmentPage: a result. */
/** How many there are. */
CRIA_API size_t cria_attachment_page_items_count(const struct cria_attachment_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_attachment *cria_attachment_page_items_at(const struct cria_attachment_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_attachment_page_next_page_token(const struct cria_attachment_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_attachment_page_total_size(const struct cria_attachment_page *of);

/** AttachmentInfo: a result. */
/** Name relative to the file. */
CRIA_API const char *cria_attachment_name(const struct cria_attachment *of);
/** Bytes. */
CRIA_API int64_t cria_attachment_size(const struct cria_attachment *of);
/** When it was written. */
CRIA_API const char *cria_attachment_last_modified(const struct cria_attachment *of);

/** ChatSessionSummary: a result. */
/** The session's id, e.g. `ses-` and a UUID. */
CRIA_API const char *cria_chat_summary_session_id(const struct cria_chat_summary *of);
/** Last change, ISO 8601 with microseconds, UTC, without zone suffix. */
CRIA_API const char *cria_chat_summary_last_updated_at(const struct cria_chat_summary *of);
/** What a share link would allow, reading only or asking as well. */
CRIA_API const char *cria_chat_summary_shared_access(const struct cria_chat_summary *of);
/** Title made from the first message; null before it. */
CRIA_API const char *cria_chat_summary_generated_title(const struct cria_chat_summary *of);
/** Bound indexes; null when unbound. */
CRIA_API size_t cria_chat_summary_index_ids_count(const struct cria_chat_summary *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const char *cria_chat_summary_index_ids_at(const struct cria_chat_summary *of, size_t n);
/** Null until a turn has finished. */
CRIA_API const struct cria_chat_job *cria_chat_summary_job_metadata(const struct cria_chat_summary *of);

/** ChatJobMetadata: Figures of the last finished turn. */
/** Wall time of the turn. */
CRIA_API double cria_chat_job_duration_ms(const struct cria_chat_job *of);
/** Why the turn failed. */
CRIA_API const char *cria_chat_job_error(const struct cria_chat_job *of);
/** export_config_id of each index the turn searched. */
CRIA_API size_t cria_chat_job_export_config_ids_count(const struct cria_chat_job *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const char *cria_chat_job_export_config_ids_at(const struct cria_chat_job *of, size_t n);
/** Whether the turn failed. */
CRIA_API bool cria_chat_job_is_error(const struct cria_chat_job *of);
/** Tokens read by the model, all steps added. */
CRIA_API int64_t cria_chat_job_total_input_tokens(const struct cria_chat_job *of);
/** Tokens written by the model, all steps added. */
CRIA_API int64_t cria_chat_job_total_output_tokens(const struct cria_chat_job *of);
/** Steps the agent took. */
CRIA_API int64_t cria_chat_job_turns(const struct cria_chat_job *of);

/** ChatSession: a result. */
/** The session's id. */
CRIA_API const char *cria_chat_session_id(const struct cria_chat *of);
/** As in the summary. */
CRIA_API const char *cria_chat_last_updated_at(const struct cria_chat *of);
/** What a share link would allow, reading only or asking as well. */
CRIA_API const char *cria_chat_shared_access(const struct cria_chat *of);
/** As in the summary. */
CRIA_API const char *cria_chat_generated_title(const struct cria_chat *of);
/** As in the summary. */
CRIA_API size_t cria_chat_index_ids_count(const struct cria_chat *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const char *cria_chat_index_ids_at(const struct cria_chat *of, size_t n);
/** As in the summary. */
CRIA_API const struct cria_chat_job *cria_chat_job_metadata(const struct cria_chat *of);
/** The history in order. */
CRIA_API size_t cria_chat_events_count(const struct cria_chat *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_event *cria_chat_events_at(const struct cria_chat *of, size_t n);

/** ChatSessionPage: a result. */
/** How many there are. */
CRIA_API size_t cria_chat_session_page_items_count(const struct cria_chat_session_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_chat_summary *cria_chat_session_page_items_at(const struct cria_chat_session_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_chat_session_page_next_page_token(const struct cria_chat_session_page *of);

/** DirectoryFileResponse: a result. */
/** The entry's id, e.g. `dfl-` and a UUID. */
CRIA_API const char *cria_directory_file_id(const struct cria_directory_file *of);
/** Directory it lies in. */
CRIA_API const char *cria_directory_file_directory_id(const struct cria_directory_file *of);
/** Name to show. */
CRIA_API const char *cria_directory_file_display_name(const struct cria_directory_file *of);
/** Owning project. */
CRIA_API const char *cria_directory_file_project_id(const struct cria_directory_file *of);
/** Key within the directory. */
CRIA_API const char *cria_directory_file_unique_id(const struct cria_directory_file *of);
/** When it was made. */
CRIA_API const char *cria_directory_file_created_at(const struct cria_directory_file *of);
/** When it last changed. */
CRIA_API const char *cria_directory_file_updated_at(const struct cria_directory_file *of);
/** When it was removed; null while live. */
CRIA_API const char *cria_directory_file_deleted_at(const struct cria_directory_file *of);
/** Link to the bytes; filled only when asked for with `expand=download_url`. */
CRIA_API const struct cria_presigned_url *cria_directory_file_download_url(const struct cria_directory_file *of);
/** Stored file behind the entry. */
CRIA_API const char *cria_directory_file_file_id(const struct cria_directory_file *of);

/** DirectoryFilePage: a result. */
/** How many there are. */
CRIA_API size_t cria_directory_file_page_items_count(const struct cria_directory_file_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_directory_file *cria_directory_file_page_items_at(const struct cria_directory_file_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_directory_file_page_next_page_token(const struct cria_directory_file_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_directory_file_page_total_size(const struct cria_directory_file_page *of);

/** DirectoryResponse: a result. */
/** The directory's id, e.g. `dir-` and a UUID. */
CRIA_API const char *cria_directory_id(const struct cria_directory *of);
/** Name for people. */
CRIA_API const char *cria_directory_name(const struct cria_directory *of);
/** Owning project. */
CRIA_API const char *cria_directory_project_id(const struct cria_directory *of);
/** Null on Cria. */
CRIA_API const char *cria_directory_connector_subscription_id(const struct cria_directory *of);
/** When it was made. */
CRIA_API const char *cria_directory_created_at(const struct cria_directory *of);
/** When it last changed. */
CRIA_API const char *cria_directory_updated_at(const struct cria_directory *of);
/** When it was removed; null while live. */
CRIA_API const char *cria_directory_deleted_at(const struct cria_directory *of);
/** Free text. */
CRIA_API const char *cria_directory_description(const struct cria_directory *of);
/** When it becomes subject to cleanup. */
CRIA_API const char *cria_directory_expires_at(const struct cria_directory *of);
/** `index` marks the output side of an index. */
CRIA_API const char *cria_directory_type(const struct cria_directory *of);

/** DirectoryPage: a result. */
/** How many there are. */
CRIA_API size_t cria_directory_page_items_count(const struct cria_directory_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_directory *cria_directory_page_items_at(const struct cria_directory_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_directory_page_next_page_token(const struct cria_directory_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_directory_page_total_size(const struct cria_directory_page *of);

/** IndexResponse: a result. */
/** The index's id, e.g. `idx-` and a UUID. */
CRIA_API const char *cria_index_id(const struct cria_index *of);
/** Id of its export settings. */
CRIA_API const char *cria_index_export_config_id(const struct cria_index *of);
/** Name to show. */
CRIA_API const char *cria_index_name(const struct cria_index *of);
/** Directory of type `index` that holds the parsed files. */
CRIA_API const char *cria_index_output_directory_id(const struct cria_index *of);
/** Owning project. */
CRIA_API const char *cria_index_project_id(const struct cria_index *of);
/** Directory it is built from. */
CRIA_API const char *cria_index_source_directory_id(const struct cria_index *of);
/** Id of its sync settings. */
CRIA_API const char *cria_index_sync_config_id(const struct cria_index *of);
/** When it was made. */
CRIA_API const char *cria_index_created_at(const struct cria_index *of);
/** When it last changed. */
CRIA_API const char *cria_index_updated_at(const struct cria_index *of);
/** Free text. */
CRIA_API const char *cria_index_description(const struct cria_index *of);
/** End of the last completed sync of the source. */
CRIA_API const char *cria_index_last_synced_at(const struct cria_index *of);
/** End of the last completed export; not null means it can be queried. */
CRIA_API const char *cria_index_last_exported_at(const struct cria_index *of);
/** Its member of this name. */
CRIA_API const struct cria_index_metadata *cria_index_metadata(const struct cria_index *of);
/** Whether a sync or export is going on; null unless asked for with `expand=sync_in_progress`. */
CRIA_API bool cria_index_sync_in_progress(const struct cria_index *of);

/** IndexMetadata: Build state and diagnostics; open to further members. */
/** Where the build stands. Clients loop until `ready` or `failed`. */
CRIA_API const char *cria_index_metadata_status(const struct cria_index_metadata *of);
/** Why it failed; null otherwise. */
CRIA_API const char *cria_index_metadata_error_message(const struct cria_index_metadata *of);
/** Up to 100 entries that could not be parsed. Its members by cria_member_json(). */
CRIA_API size_t cria_index_metadata_failed_files_count(const struct cria_index_metadata *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const void *cria_index_metadata_failed_files_at(const struct cria_index_metadata *of, size_t n);

/** IndexPage: a result. */
/** How many there are. */
CRIA_API size_t cria_index_page_items_count(const struct cria_index_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_index *cria_index_page_items_at(const struct cria_index_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_index_page_next_page_token(const struct cria_index_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_index_page_total_size(const struct cria_index_page *of);

/** FileFindPage: a result. */
/** How many there are. */
CRIA_API size_t cria_file_find_page_items_count(const struct cria_file_find_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_found_file *cria_file_find_page_items_at(const struct cria_file_find_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_file_find_page_next_page_token(const struct cria_file_find_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_file_find_page_total_size(const struct cria_file_find_page *of);

/** FoundFile: a result. */
/** Id to use with grep and read. */
CRIA_API const char *cria_found_file_file_id(const struct cria_found_file *of);
/** Display name of the source entry. */
CRIA_API const char *cria_found_file_file_name(const struct cria_found_file *of);

/** RetrieveResponse: a result. */
/** Best first, by rerank_score where there is one, else by score. */
CRIA_API size_t cria_retrieved_results_count(const struct cria_retrieved *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_retrieved_chunk *cria_retrieved_results_at(const struct cria_retrieved *of, size_t n);

/** RetrievedChunk: a result. */
/** The chunk's text. */
CRIA_API const char *cria_retrieved_chunk_content(const struct cria_retrieved_chunk *of);
/** Fused score, higher is better. */
CRIA_API double cria_retrieved_chunk_score(const struct cria_retrieved_chunk *of);
/** Score of the second pass; null without one. */
CRIA_API double cria_retrieved_chunk_rerank_score(const struct cria_retrieved_chunk *of);
/** Its member of this name. */
CRIA_API const struct cria_chunk_static_fields *cria_retrieved_chunk_static_fields(const struct cria_retrieved_chunk *of);

/** ChunkStaticFields: What is known of every chunk. */
/** Attachments of the pages the chunk covers. */
CRIA_API size_t cria_chunk_static_fields_attachments_count(const struct cria_chunk_static_fields *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_attachment_ref *cria_chunk_static_fields_attachments_at(const struct cria_chunk_static_fields *of, size_t n);
/** Position among the file's chunks, from 0. */
CRIA_API int64_t cria_chunk_static_fields_chunk_index(const struct cria_chunk_static_fields *of);
/** Where the chunk begins in the parsed text, in code points. */
CRIA_API int64_t cria_chunk_static_fields_chunk_start_char(const struct cria_chunk_static_fields *of);
/** Where it ends, exclusive. */
CRIA_API int64_t cria_chunk_static_fields_chunk_end_char(const struct cria_chunk_static_fields *of);
/** Its length in tokens. */
CRIA_API int64_t cria_chunk_static_fields_chunk_token_count(const struct cria_chunk_static_fields *of);
/** First page covered, from 1. */
CRIA_API int64_t cria_chunk_static_fields_page_range_start(const struct cria_chunk_static_fields *of);
/** Last page covered, inclusive. */
CRIA_API int64_t cria_chunk_static_fields_page_range_end(const struct cria_chunk_static_fields *of);
/** The parsed file; the `file_id` that find, grep and read use. */
CRIA_API const char *cria_chunk_static_fields_parsed_directory_file_id(const struct cria_chunk_static_fields *of);

/** AttachmentRef: a result. */
/** Name to fetch it by, e.g. `screenshots/page_7.jpg`. */
CRIA_API const char *cria_attachment_ref_attachment_name(const struct cria_attachment_ref *of);
/** Value for source_id when fetching. */
CRIA_API const char *cria_attachment_ref_source_id(const struct cria_attachment_ref *of);
/** Kind, `screenshot` or `items`. */
CRIA_API const char *cria_attachment_ref_type(const struct cria_attachment_ref *of);

/** FileGrepPage: a result. */
/** How many there are. */
CRIA_API size_t cria_file_grep_page_items_count(const struct cria_file_grep_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_grep_match *cria_file_grep_page_items_at(const struct cria_file_grep_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_file_grep_page_next_page_token(const struct cria_file_grep_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_file_grep_page_total_size(const struct cria_file_grep_page *of);

/** GrepMatch: a result. */
/** The match with the context asked for. */
CRIA_API const char *cria_grep_match_content(const struct cria_grep_match *of);
/** Where the match itself begins, context not counted. */
CRIA_API int64_t cria_grep_match_start_char(const struct cria_grep_match *of);
/** Where it ends, exclusive. */
CRIA_API int64_t cria_grep_match_end_char(const struct cria_grep_match *of);

/** FileReadResponse: a result. */
/** The text asked for. */
CRIA_API const char *cria_file_text_content(const struct cria_file_text *of);

/** ConfigurationResponse: a result. */
/** The configuration's id, e.g. `cfg-` and a UUID. */
CRIA_API const char *cria_configuration_id(const struct cria_configuration *of);
/** Name for people. */
CRIA_API const char *cria_configuration_name(const struct cria_configuration *of);
/** Its member of this name. */
CRIA_API const char *cria_configuration_product_type(const struct cria_configuration *of);
/** Time-based version mark. */
CRIA_API const char *cria_configuration_version(const struct cria_configuration *of);
/** When it was made. */
CRIA_API const char *cria_configuration_created_at(const struct cria_configuration *of);
/** When it last changed. */
CRIA_API const char *cria_configuration_updated_at(const struct cria_configuration *of);

/** ConfigurationPage: a result. */
/** How many there are. */
CRIA_API size_t cria_configuration_page_items_count(const struct cria_configuration_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_configuration *cria_configuration_page_items_at(const struct cria_configuration_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_configuration_page_next_page_token(const struct cria_configuration_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_configuration_page_total_size(const struct cria_configuration_page *of);

/** FileResponse: a result. */
/** The file's id. */
CRIA_API const char *cria_file_id(const struct cria_file *of);
/** File name with extension. */
CRIA_API const char *cria_file_name(const struct cria_file *of);
/** Owning project. */
CRIA_API const char *cria_file_project_id(const struct cria_file *of);
/** Link to the bytes; filled only when asked for with `expand=download_url`. */
CRIA_API const struct cria_presigned_url *cria_file_download_url(const struct cria_file *of);
/** When the server may drop the file; null for never. */
CRIA_API const char *cria_file_expires_at(const struct cria_file *of);
/** Caller-chosen id. */
CRIA_API const char *cria_file_external_file_id(const struct cria_file *of);
/** Extension without the dot. */
CRIA_API const char *cria_file_file_type(const struct cria_file *of);
/** When the bytes last changed. */
CRIA_API const char *cria_file_last_modified_at(const struct cria_file *of);
/** One of the purposes an upload can name. */
CRIA_API const char *cria_file_purpose(const struct cria_file *of);

/** FilePage: a result. */
/** How many there are. */
CRIA_API size_t cria_file_page_items_count(const struct cria_file_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_file *cria_file_page_items_at(const struct cria_file_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_file_page_next_page_token(const struct cria_file_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_file_page_total_size(const struct cria_file_page *of);

/** Project: a result. */
/** The project's id. */
CRIA_API const char *cria_project_id(const struct cria_project *of);
/** Name to show. */
CRIA_API const char *cria_project_name(const struct cria_project *of);
/** Owning organization. */
CRIA_API const char *cria_project_organization_id(const struct cria_project *of);
/** When it was made. */
CRIA_API const char *cria_project_created_at(const struct cria_project *of);
/** When it last changed. */
CRIA_API const char *cria_project_updated_at(const struct cria_project *of);
/** Whether calls without project_id land here. */
CRIA_API bool cria_project_is_default(const struct cria_project *of);

/** ProjectPage: a result. */
/** How many there are. */
CRIA_API size_t cria_project_page_items_count(const struct cria_project_page *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_project *cria_project_page_items_at(const struct cria_project_page *of, size_t n);
/** Pass it as page_token for the next page. Null on the last page. */
CRIA_API const char *cria_project_page_next_page_token(const struct cria_project_page *of);
/** Total number of items, if known. Clients may only display it. */
CRIA_API int64_t cria_project_page_total_size(const struct cria_project_page *of);

/** TextEvent: a result. */
/** Its member of this name. */
CRIA_API const char *cria_text_event_type(const struct cria_text_event *of);
/** A whole block of answer, equal to its deltas joined. */
CRIA_API const char *cria_text_event_content(const struct cria_text_event *of);
/** Where the block's statements rest, in the order of their markers. Absent on blocks that answer
 * nothing. */
CRIA_API size_t cria_text_event_citations_count(const struct cria_text_event *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const struct cria_citation *cria_text_event_citations_at(const struct cria_text_event *of, size_t n);
/** Whether the documents hold the answer. `not_found` bears no citations. */
CRIA_API const char *cria_text_event_grounding(const struct cria_text_event *of);

/** Citation: One passage that a statement of the answer rests on. Ours alone. */
/** The number of its marker `[n]` in `content`. */
CRIA_API int64_t cria_citation_n(const struct cria_citation *of);
/** Index that was searched. */
CRIA_API const char *cria_citation_index_id(const struct cria_citation *of);
/** The id that find, grep and read use. */
CRIA_API const char *cria_citation_file_id(const struct cria_citation *of);
/** As find gives it. */
CRIA_API const char *cria_citation_file_name(const struct cria_citation *of);
/** First page, from 1; null for formats without pages. */
CRIA_API int64_t cria_citation_page_start(const struct cria_citation *of);
/** Last page. */
CRIA_API int64_t cria_citation_page_end(const struct cria_citation *of);
/** Start in the parsed text, in Unicode code points. */
CRIA_API int64_t cria_citation_char_start(const struct cria_citation *of);
/** End, exclusive. */
CRIA_API int64_t cria_citation_char_end(const struct cria_citation *of);
/** Equal to the parsed text at these offsets. */
CRIA_API const char *cria_citation_quote(const struct cria_citation *of);
/** The statement is the quote itself; the quote covers its words and figures; the check found no
 * support. */
CRIA_API const char *cria_citation_support(const struct cria_citation *of);

/** ToolCallEvent: a result. */
/** Its member of this name. */
CRIA_API const char *cria_tool_call_event_type(const struct cria_tool_call_event *of);
/** Joins the call with its result; unique within the session. */
CRIA_API const char *cria_tool_call_event_call_id(const struct cria_tool_call_event *of);
/** Tool that is called. */
CRIA_API const char *cria_tool_call_event_name(const struct cria_tool_call_event *of);

/** ToolResultEvent: a result. */
/** Its member of this name. */
CRIA_API const char *cria_tool_result_event_type(const struct cria_tool_result_event *of);
/** The call this answers. */
CRIA_API const char *cria_tool_result_event_call_id(const struct cria_tool_result_event *of);
/** Tool that was called. */
CRIA_API const char *cria_tool_result_event_name(const struct cria_tool_result_event *of);
/** Set when the tool showed a page picture. */
CRIA_API const struct cria_image_attachment *cria_tool_result_event_image_attachment(const struct cria_tool_result_event *of);

/** ImageAttachment: Where to fetch the page picture a tool showed to the model. */
/** Name to fetch it by. */
CRIA_API const char *cria_image_attachment_attachment_name(const struct cria_image_attachment *of);
/** Value for source_id when fetching. */
CRIA_API const char *cria_image_attachment_source_id(const struct cria_image_attachment *of);

/** StopEvent: a result. */
/** Its member of this name. */
CRIA_API const char *cria_stop_event_type(const struct cria_stop_event *of);
/** Whether the turn failed. */
CRIA_API bool cria_stop_event_is_error(const struct cria_stop_event *of);
/** Why, or null. */
CRIA_API const char *cria_stop_event_error(const struct cria_stop_event *of);
/** Its member of this name. */
CRIA_API const struct cria_usage *cria_stop_event_usage(const struct cria_stop_event *of);
/** Indexes asked for that could not be queried, spelt as the client spelt them. */
CRIA_API size_t cria_stop_event_skipped_index_ids_count(const struct cria_stop_event *of);
/** One of them, counted from 0; NULL behind the last. */
CRIA_API const char *cria_stop_event_skipped_index_ids_at(const struct cria_stop_event *of, size_t n);

/** StopUsage: a result. */
/** Wall time of the turn. */
CRIA_API double cria_usage_duration_ms(const struct cria_usage *of);
/** Null when the model backend does not report it. */
CRIA_API int64_t cria_usage_total_input_tokens(const struct cria_usage *of);
/** Null when the model backend does not report it. */
CRIA_API int64_t cria_usage_total_output_tokens(const struct cria_usage *of);
/** Steps the agent took. */
CRIA_API int64_t cria_usage_turns(const struct cria_usage *of);

/* ---- calls: params may be NULL where nothing is required. Each sends one request, again after
 * failures as the client is told to, and blocks meanwhile; any number of threads may call. CRIA_OK, or what went
 * wrong: cria_last_error() has the details. *out is written on CRIA_OK only. */

struct cria_beta_attachments_get_params {
    const struct cria_call_options *options;
    /** The file the attachment belongs to, as a stored file's UUID or a directory entry id
     * (dfl-...). Required. */
    const char *source_id;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Get a time-limited link to one attachment. GET /api/v1/beta/attachments/{attachment_name}. End
 * *out with cria_free(). */
CRIA_API enum cria_code cria_beta_attachments_get(struct cria_client *client, const char *attachment_name, const struct cria_beta_attachments_get_params *params, struct cria_presigned_url **out);

struct cria_beta_attachments_list_params {
    const struct cria_call_options *options;
    /** The file the attachment belongs to, as a stored file's UUID or a directory entry id
     * (dfl-...). Required. */
    const char *source_id;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
};
/** List what is kept beside a file. GET /api/v1/beta/attachments. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_attachments_list(struct cria_client *client, const struct cria_beta_attachments_list_params *params, struct cria_attachment_page **out);
/** The same, item by item over all pages: each is a struct cria_attachment. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_attachments_list_all(struct cria_client *client, const struct cria_beta_attachments_list_params *params, struct cria_iterator **out);

struct cria_beta_chat_cancel_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Stop the session's running turn. POST /api/v1/chat/{session_id}/cancel. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_chat_cancel(struct cria_client *client, const char *session_id, const struct cria_beta_chat_cancel_params *params, struct cria_chat_summary **out);

struct cria_beta_chat_delete_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Remove a session and its history. DELETE /api/v1/chat/{session_id} */
CRIA_API enum cria_code cria_beta_chat_delete(struct cria_client *client, const char *session_id, const struct cria_beta_chat_delete_params *params);

struct cria_beta_chat_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Get a session with its whole event history. GET /api/v1/chat/{session_id}. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_chat_get(struct cria_client *client, const char *session_id, const struct cria_beta_chat_get_params *params, struct cria_chat **out);

struct cria_beta_chat_get_summary_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Get a session without its events. GET /api/v1/chat/{session_id}/summary. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_chat_get_summary(struct cria_client *client, const char *session_id, const struct cria_beta_chat_get_summary_params *params, struct cria_chat_summary **out);

struct cria_beta_chat_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
};
/** Page through a project's chat sessions. GET /api/v1/chat. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_chat_list(struct cria_client *client, const struct cria_beta_chat_list_params *params, struct cria_chat_session_page **out);
/** The same, item by item over all pages: each is a struct cria_chat_summary. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_chat_list_all(struct cria_client *client, const struct cria_beta_chat_list_params *params, struct cria_iterator **out);

struct cria_beta_chat_new_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Indexes the session draws on. Null or absent leaves it unbound. */
    struct cria_strings index_ids;
    /** Null takes the server's default. */
    const char *shared_access;
};
/** Open a chat session, bound to indexes or not. POST /api/v1/chat. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_chat_new(struct cria_client *client, const struct cria_beta_chat_new_params *params, struct cria_chat_summary **out);

struct cria_beta_chat_set_title_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Text to make the title from. Required. */
    const char *first_message;
};
/** Make a title from a first message. POST /api/v1/chat/{session_id}/title. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_chat_set_title(struct cria_client *client, const char *session_id, const struct cria_beta_chat_set_title_params *params, struct cria_chat_summary **out);

struct cria_beta_chat_stream_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Indexes to draw on in this turn. Required. */
    struct cria_strings index_ids;
    /** What the user says. Required. */
    const char *prompt;
    /** Refuse the turn unless every index asked for can be queried; otherwise the missing ones are
     * skipped and named in the stop event. */
    struct cria_bool require_all_indexes;
};
/** Run one turn and stream what the agent does. POST /api/v1/chat/{session_id}/messages/stream. End
 * *out with cria_stream_free(). */
CRIA_API enum cria_code cria_beta_chat_stream(struct cria_client *client, const char *session_id, const struct cria_beta_chat_stream_params *params, struct cria_stream **out);

struct cria_beta_directories_delete_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Remove a directory and its entries. DELETE /api/v1/beta/directories/{directory_id} */
CRIA_API enum cria_code cria_beta_directories_delete(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_delete_params *params);

struct cria_beta_directories_files_add_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** The stored file to enter; must exist in the project. Required. */
    const char *file_id;
    /** Name to show; the file's own name when absent. */
    const char *display_name;
    /** Key of the entry within the directory; the file's external_file_id, else its name, when
     * absent. */
    const char *unique_id;
    /** User metadata, copied to every chunk of the file. As JSON. */
    const char *metadata_json;
};
/** Put an already stored file into a directory. POST /api/v1/beta/directories/{directory_id}/files.
 * End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_files_add(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_add_params *params, struct cria_directory_file **out);

struct cria_beta_directories_files_delete_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Take an entry out of a directory. DELETE
 * /api/v1/beta/directories/{directory_id}/files/{directory_file_id} */
CRIA_API enum cria_code cria_beta_directories_files_delete(struct cria_client *client, const char *directory_id, const char *directory_file_id, const struct cria_beta_directories_files_delete_params *params);

struct cria_beta_directories_files_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Optional fields to fill in; repeat the parameter. */
    struct cria_strings expand;
};
/** Describe one directory entry. GET
 * /api/v1/beta/directories/{directory_id}/files/{directory_file_id}. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_files_get(struct cria_client *client, const char *directory_id, const char *directory_file_id, const struct cria_beta_directories_files_get_params *params, struct cria_directory_file **out);

struct cria_beta_directories_files_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
    /** Exact display name. */
    const char *display_name;
    /** Part of the display name. */
    const char *display_name_contains;
    /** Exact unique id; the way to turn a unique id into an entry id. */
    const char *unique_id;
    /** Entries that point at this stored file. */
    const char *file_id;
    /** Entries changed at this moment or later. */
    const char *updated_at_on_or_after;
    /** Entries changed at this moment or earlier. */
    const char *updated_at_on_or_before;
    /** Also return items whose `deleted_at` is set. */
    struct cria_bool include_deleted;
    /** Optional fields to fill in; repeat the parameter. */
    struct cria_strings expand;
};
/** Page through a directory's entries. GET /api/v1/beta/directories/{directory_id}/files. End *out
 * with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_files_list(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_list_params *params, struct cria_directory_file_page **out);
/** The same, item by item over all pages: each is a struct cria_directory_file. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_directories_files_list_all(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_list_params *params, struct cria_iterator **out);

struct cria_beta_directories_files_update_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** New name to show. */
    const char *display_name;
    /** New key within the directory. */
    const char *unique_id;
    /** Replaces the whole user layer of metadata. As JSON. */
    const char *metadata_json;
    /** Directory to move the entry to. */
    const char *target_directory_id;
    /** Older spelling of target_directory_id. */
    const char *directory_id;
};
/** Rename, re-tag or move a directory entry. PATCH
 * /api/v1/beta/directories/{directory_id}/files/{directory_file_id}. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_files_update(struct cria_client *client, const char *directory_id, const char *directory_file_id, const struct cria_beta_directories_files_update_params *params, struct cria_directory_file **out);

struct cria_beta_directories_files_upload_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** The bytes; the part may lack a file name. Required. */
    struct cria_upload upload_file;
    /** Name to show. */
    const char *display_name;
    /** Key of the entry within the directory. */
    const char *unique_id;
    /** Caller-chosen id of the stored file. */
    const char *external_file_id;
    /** User metadata as the text of a JSON object. */
    const char *metadata;
};
/** Store a file and enter it into a directory in one call. POST
 * /api/v1/beta/directories/{directory_id}/files/upload. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_files_upload(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_files_upload_params *params, struct cria_directory_file **out);

struct cria_beta_directories_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Describe one directory. GET /api/v1/beta/directories/{directory_id}. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_get(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_get_params *params, struct cria_directory **out);

struct cria_beta_directories_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
    /** Keep only directories with this name. */
    const char *name;
    /** Keep one directory type. */
    const char *type;
    /** Keep several directory types; repeat the parameter. */
    struct cria_strings types;
    /** Also return items whose `deleted_at` is set. */
    struct cria_bool include_deleted;
};
/** Page through directories. GET /api/v1/beta/directories. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_list(struct cria_client *client, const struct cria_beta_directories_list_params *params, struct cria_directory_page **out);
/** The same, item by item over all pages: each is a struct cria_directory. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_directories_list_all(struct cria_client *client, const struct cria_beta_directories_list_params *params, struct cria_iterator **out);

struct cria_beta_directories_new_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Name for people. Required. */
    const char *name;
    /** Free text. */
    const char *description;
    /** `ephemeral` directories are cleaned up by the server after a while. */
    const char *type;
    /** Subscription that feeds the directory. */
    const char *connector_subscription_id;
    /** Reserved for the system. As JSON. */
    const char *system_metadata_json;
};
/** Create a directory. POST /api/v1/beta/directories. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_new(struct cria_client *client, const struct cria_beta_directories_new_params *params, struct cria_directory **out);

struct cria_beta_directories_update_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** New name. */
    const char *name;
    /** New description. */
    const char *description;
};
/** Change a directory's name or description. PATCH /api/v1/beta/directories/{directory_id}. End
 * *out with cria_free(). */
CRIA_API enum cria_code cria_beta_directories_update(struct cria_client *client, const char *directory_id, const struct cria_beta_directories_update_params *params, struct cria_directory **out);

struct cria_beta_indexes_cancel_sync_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Stop the running sync of an index. POST /api/v1/indexes/{index_id}/sync/cancel. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_indexes_cancel_sync(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_cancel_sync_params *params, struct cria_empty **out);

struct cria_beta_indexes_delete_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Remove an index. DELETE /api/v1/indexes/{index_id} */
CRIA_API enum cria_code cria_beta_indexes_delete(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_delete_params *params);

struct cria_beta_indexes_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Extra fields to fill in; only newer SDKs send it. */
    struct cria_strings expand;
};
/** Describe one index, build state included. GET /api/v1/indexes/{index_id}. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_indexes_get(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_get_params *params, struct cria_index **out);

struct cria_beta_indexes_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
    /** Keep only indexes built from this directory. */
    const char *source_directory_id;
};
/** Page through a project's indexes. GET /api/v1/indexes. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_indexes_list(struct cria_client *client, const struct cria_beta_indexes_list_params *params, struct cria_index_page **out);
/** The same, item by item over all pages: each is a struct cria_index. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_indexes_list_all(struct cria_client *client, const struct cria_beta_indexes_list_params *params, struct cria_iterator **out);

struct cria_beta_indexes_new_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Directory with the documents. Required. */
    const char *source_directory_id;
    /** Name to show; the directory's name when absent. */
    const char *name;
    /** Free text. */
    const char *description;
    /** At most one entry per product type; absent means default parsing. As JSON. */
    const char *products_json;
    /** Kinds of attachment to keep, `screenshots` and `items`; empty or absent keeps none. */
    struct cria_strings store_attachments;
    /** `manual`, `daily` or `on_source_change`. */
    const char *sync_frequency;
    /** Whether chunks get vectors. */
    const char *vector_target;
};
/** Create an index and start its first build. POST /api/v1/indexes. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_indexes_new(struct cria_client *client, const struct cria_beta_indexes_new_params *params, struct cria_index **out);

struct cria_beta_indexes_sync_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Re-parse what changed and export again. POST /api/v1/indexes/{index_id}/sync. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_beta_indexes_sync(struct cria_client *client, const char *index_id, const struct cria_beta_indexes_sync_params *params, struct cria_empty **out);

struct cria_beta_retrieval_find_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Index to look in. Required. */
    const char *index_id;
    /** Exact name. */
    const char *file_name;
    /** Part of the name, case ignored. */
    const char *file_name_contains;
    /** As the query parameter of the same name elsewhere. */
    struct cria_int page_size;
    /** Token of the page to return. */
    const char *page_token;
};
/** Find files of an index by name. POST /api/v1/retrieval/files/find. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_retrieval_find(struct cria_client *client, const struct cria_beta_retrieval_find_params *params, struct cria_file_find_page **out);
/** The same, item by item over all pages: each is a struct cria_found_file. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_retrieval_find_all(struct cria_client *client, const struct cria_beta_retrieval_find_params *params, struct cria_iterator **out);

struct cria_beta_retrieval_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Index to search. Required. */
    const char *index_id;
    /** Question or keywords. Required. */
    const char *query;
    /** Most results; above 500 counts as 500. */
    struct cria_int top_k;
    /** Weight of the vector ranking. */
    struct cria_real vector_pipeline_weight;
    /** Weight of the full-text ranking. */
    struct cria_real full_text_pipeline_weight;
    /** Breadth of the approximate vector search. */
    struct cria_int num_candidates;
    /** Drops results scoring below it. */
    struct cria_real score_threshold;
    /** As JSON. */
    const char *static_filters_json;
    /** Conditions on user metadata, one member per key; all must hold. A null condition is skipped.
     * As JSON. */
    const char *custom_filters_json;
    /** As JSON. */
    const char *rerank_json;
};
/** Hybrid search over one index. POST /api/v1/retrieval/retrieve. End *out with cria_free(). */
CRIA_API enum cria_code cria_beta_retrieval_get(struct cria_client *client, const struct cria_beta_retrieval_get_params *params, struct cria_retrieved **out);

struct cria_beta_retrieval_grep_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Index the file belongs to. Required. */
    const char *index_id;
    /** File to search. Required. */
    const char *file_id;
    /** Regular expression. Required. */
    const char *pattern;
    /** How much text to add to `content` on both sides. */
    struct cria_int context_chars;
    /** As the query parameter of the same name elsewhere. */
    struct cria_int page_size;
    /** Token of the page to return. */
    const char *page_token;
};
/** Search one parsed file with a regular expression. POST /api/v1/retrieval/files/grep. End *out
 * with cria_free(). */
CRIA_API enum cria_code cria_beta_retrieval_grep(struct cria_client *client, const struct cria_beta_retrieval_grep_params *params, struct cria_file_grep_page **out);
/** The same, item by item over all pages: each is a struct cria_grep_match. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_beta_retrieval_grep_all(struct cria_client *client, const struct cria_beta_retrieval_grep_params *params, struct cria_iterator **out);

struct cria_beta_retrieval_read_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Index the file belongs to. Required. */
    const char *index_id;
    /** File to read. Required. */
    const char *file_id;
    /** First character to return. */
    struct cria_int offset;
    /** Most characters to return; null means to the end. */
    struct cria_int max_length;
};
/** Read parsed text of one file, whole or a window. POST /api/v1/retrieval/files/read. End *out
 * with cria_free(). */
CRIA_API enum cria_code cria_beta_retrieval_read(struct cria_client *client, const struct cria_beta_retrieval_read_params *params, struct cria_file_text **out);

struct cria_configurations_delete_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Remove a configuration. DELETE /api/v1/beta/configurations/{config_id} */
CRIA_API enum cria_code cria_configurations_delete(struct cria_client *client, const char *config_id, const struct cria_configurations_delete_params *params);

struct cria_configurations_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Describe one configuration. GET /api/v1/beta/configurations/{config_id}. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_configurations_get(struct cria_client *client, const char *config_id, const struct cria_configurations_get_params *params, struct cria_configuration **out);

struct cria_configurations_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
    /** Keep only configurations with this name. */
    const char *name;
    /** Keep these product types; repeat the parameter. */
    struct cria_strings product_type;
    /** Keep only the newest version per name. */
    struct cria_bool latest_only;
};
/** Page through saved configurations. GET /api/v1/beta/configurations. End *out with cria_free(). */
CRIA_API enum cria_code cria_configurations_list(struct cria_client *client, const struct cria_configurations_list_params *params, struct cria_configuration_page **out);
/** The same, item by item over all pages: each is a struct cria_configuration. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_configurations_list_all(struct cria_client *client, const struct cria_configurations_list_params *params, struct cria_iterator **out);

struct cria_configurations_new_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Name for people and key of the upsert. Required. */
    const char *name;
    /** Required. As JSON. */
    const char *parameters_json;
};
/** Save a product configuration, replacing one of the same name. POST /api/v1/beta/configurations.
 * End *out with cria_free(). */
CRIA_API enum cria_code cria_configurations_new(struct cria_client *client, const struct cria_configurations_new_params *params, struct cria_configuration **out);

struct cria_configurations_update_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** New name; absent or null keeps the old. */
    const char *name;
    /** New parameters as a whole; absent or null keeps the old. As JSON. */
    const char *parameters_json;
};
/** Change a configuration's name or parameters. PUT /api/v1/beta/configurations/{config_id}. End
 * *out with cria_free(). */
CRIA_API enum cria_code cria_configurations_update(struct cria_client *client, const char *config_id, const struct cria_configurations_update_params *params, struct cria_configuration **out);

struct cria_files_content_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** How many seconds the link stays usable. */
    struct cria_int expires_at_seconds;
};
/** Get a time-limited link to a file's bytes. GET /api/v1/beta/files/{file_id}/content. End *out
 * with cria_free(). */
CRIA_API enum cria_code cria_files_content(struct cria_client *client, const char *file_id, const struct cria_files_content_params *params, struct cria_presigned_url **out);

struct cria_files_delete_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
};
/** Remove a stored file. DELETE /api/v1/beta/files/{file_id} */
CRIA_API enum cria_code cria_files_delete(struct cria_client *client, const char *file_id, const struct cria_files_delete_params *params);

struct cria_files_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Optional fields to fill in; repeat the parameter. */
    struct cria_strings expand;
};
/** Describe one stored file. GET /api/v1/beta/files/{file_id}. End *out with cria_free(). */
CRIA_API enum cria_code cria_files_get(struct cria_client *client, const char *file_id, const struct cria_files_get_params *params, struct cria_file **out);

struct cria_files_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
    /** Keep only files with exactly this name. */
    const char *file_name;
    /** Keep only these file ids; repeat the parameter. */
    struct cria_strings file_ids;
    /** Keep only files carrying this caller-chosen id. */
    const char *external_file_id;
    /** `name` and `id` sort ascending, `created_at` sorts descending. Direction suffixes and comma
     * lists are refused with 422. */
    const char *order_by;
    /** Optional fields to fill in; repeat the parameter. */
    struct cria_strings expand;
};
/** Page through stored files. GET /api/v1/beta/files. End *out with cria_free(). */
CRIA_API enum cria_code cria_files_list(struct cria_client *client, const struct cria_files_list_params *params, struct cria_file_page **out);
/** The same, item by item over all pages: each is a struct cria_file. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_files_list_all(struct cria_client *client, const struct cria_files_list_params *params, struct cria_iterator **out);

struct cria_files_new_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** The bytes. Required. */
    struct cria_upload file;
    /** What the file is for. Required. */
    const char *purpose;
    /** Caller-chosen id. */
    const char *external_file_id;
};
/** Store an uploaded file. POST /api/v1/beta/files. End *out with cria_free(). */
CRIA_API enum cria_code cria_files_new(struct cria_client *client, const struct cria_files_new_params *params, struct cria_file **out);

struct cria_files_query_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Project to work in; without it, the key's default project. */
    const char *project_id;
    /** As JSON. */
    const char *filter_json;
    /** Comma-separated fields, each ascending unless followed by ` desc`. */
    const char *order_by;
    /** As the query parameter of the same name. */
    struct cria_int page_size;
    /** As the query parameter of the same name. */
    const char *page_token;
};
/** Filter files with a JSON body. POST /api/v1/beta/files/query. End *out with cria_free(). */
CRIA_API enum cria_code cria_files_query(struct cria_client *client, const struct cria_files_query_params *params, struct cria_file_page **out);
/** The same, item by item over all pages: each is a struct cria_file. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_files_query_all(struct cria_client *client, const struct cria_files_query_params *params, struct cria_iterator **out);

struct cria_projects_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
};
/** Describe one project. GET /api/v1/projects/{project_id}. End *out with cria_free(). */
CRIA_API enum cria_code cria_projects_get(struct cria_client *client, const char *project_id, const struct cria_projects_get_params *params, struct cria_project **out);

struct cria_projects_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Keep only the project with this name. */
    const char *project_name;
};
/** List projects, or find one by name. GET /api/v1/projects. End *out with cria_free(). */
CRIA_API enum cria_code cria_projects_list(struct cria_client *client, const struct cria_projects_list_params *params, struct cria_list **out);

struct cria_v2_projects_get_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
};
/** Describe one project (second generation). GET /api/v2/projects/{project_id}. End *out with
 * cria_free(). */
CRIA_API enum cria_code cria_v2_projects_get(struct cria_client *client, const char *project_id, const struct cria_v2_projects_get_params *params, struct cria_project **out);

struct cria_v2_projects_list_params {
    const struct cria_call_options *options;
    /** Organization whose default project is meant when project_id is absent. */
    const char *organization_id;
    /** Keep only the project with this name. */
    const char *name;
    /** Most items to return. Values above 1000 are lowered to 1000, not refused. */
    struct cria_int page_size;
    /** Opaque token from `next_page_token` of the page before. */
    const char *page_token;
};
/** Page through an organization's projects. GET /api/v2/projects. End *out with cria_free(). */
CRIA_API enum cria_code cria_v2_projects_list(struct cria_client *client, const struct cria_v2_projects_list_params *params, struct cria_project_page **out);
/** The same, item by item over all pages: each is a struct cria_project. End *out with
 * cria_iterator_free(). */
CRIA_API enum cria_code cria_v2_projects_list_all(struct cria_client *client, const struct cria_v2_projects_list_params *params, struct cria_iterator **out);

#ifdef __cplusplus
}
#endif

#endif
