/* handlers.h - every handler that routes.c names, by the file it is in. Room: api. All but
 * create_chat_session and the open ones run on a worker. */
#ifndef CRIA_API_HANDLERS_H
#define CRIA_API_HANDLERS_H

struct cria_exchange;

/* files.c */
void cria_api_create_file(struct cria_exchange *ex);
void cria_api_list_files(struct cria_exchange *ex);
void cria_api_query_files(struct cria_exchange *ex);
void cria_api_get_file(struct cria_exchange *ex);
void cria_api_delete_file(struct cria_exchange *ex);
void cria_api_get_file_content(struct cria_exchange *ex);
/* directories.c */
void cria_api_create_directory(struct cria_exchange *ex);
void cria_api_list_directories(struct cria_exchange *ex);
void cria_api_get_directory(struct cria_exchange *ex);
void cria_api_update_directory(struct cria_exchange *ex);
void cria_api_delete_directory(struct cria_exchange *ex);
/* directory_files.c */
void cria_api_add_directory_file(struct cria_exchange *ex);
void cria_api_list_directory_files(struct cria_exchange *ex);
void cria_api_upload_directory_file(struct cria_exchange *ex);
void cria_api_get_directory_file(struct cria_exchange *ex);
void cria_api_update_directory_file(struct cria_exchange *ex);
void cria_api_delete_directory_file(struct cria_exchange *ex);
/* indexes.c */
void cria_api_create_index(struct cria_exchange *ex);
void cria_api_list_indexes(struct cria_exchange *ex);
void cria_api_get_index(struct cria_exchange *ex);
void cria_api_delete_index(struct cria_exchange *ex);
void cria_api_sync_index(struct cria_exchange *ex);
void cria_api_cancel_index_sync(struct cria_exchange *ex);
/* retrieval.c */
void cria_api_retrieve(struct cria_exchange *ex);
void cria_api_find_files(struct cria_exchange *ex);
void cria_api_grep_file(struct cria_exchange *ex);
void cria_api_read_file(struct cria_exchange *ex);
/* chat.c, chat_stream.c */
void cria_api_list_chat_sessions(struct cria_exchange *ex);
void cria_api_create_chat_session(struct cria_exchange *ex);
void cria_api_get_chat_session(struct cria_exchange *ex);
void cria_api_delete_chat_session(struct cria_exchange *ex);
void cria_api_get_chat_session_summary(struct cria_exchange *ex);
void cria_api_set_chat_session_title(struct cria_exchange *ex);
void cria_api_stream_chat_turn(struct cria_exchange *ex);
void cria_api_resume_chat_turn(struct cria_exchange *ex);
void cria_api_cancel_chat_turn(struct cria_exchange *ex);
/* attachments.c */
void cria_api_list_attachments(struct cria_exchange *ex);
void cria_api_get_attachment(struct cria_exchange *ex);
/* projects.c */
void cria_api_list_projects(struct cria_exchange *ex);
void cria_api_list_projects_v2(struct cria_exchange *ex);
void cria_api_get_project(struct cria_exchange *ex);
/* configurations.c */
void cria_api_create_configuration(struct cria_exchange *ex);
void cria_api_list_configurations(struct cria_exchange *ex);
void cria_api_get_configuration(struct cria_exchange *ex);
void cria_api_update_configuration(struct cria_exchange *ex);
void cria_api_delete_configuration(struct cria_exchange *ex);
/* blobs.c */
void cria_api_download_blob(struct cria_exchange *ex);
/* health.c */
void cria_api_health(struct cria_exchange *ex);
void cria_api_ready(struct cria_exchange *ex);
void cria_api_metrics(struct cria_exchange *ex);
void cria_api_openapi(struct cria_exchange *ex);
/* backup.c */
void cria_api_backup(struct cria_exchange *ex);
void cria_api_export_project(struct cria_exchange *ex);
void cria_api_import_project(struct cria_exchange *ex);
/* admin.c */
void cria_api_admin_create_key(struct cria_exchange *ex);
void cria_api_admin_list_keys(struct cria_exchange *ex);
void cria_api_admin_revoke_key(struct cria_exchange *ex);
void cria_api_admin_create_project(struct cria_exchange *ex);
void cria_api_admin_list_projects(struct cria_exchange *ex);

#endif
