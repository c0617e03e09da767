/* handlers.h - every handler, for routes.c. Room: api. */
#ifndef CRIA_API_HANDLERS_H
#define CRIA_API_HANDLERS_H

#include "http/http.h"

#define CRIA_API_HANDLERS(X)                                                                       \
    X(cria_create_file)                                                                            \
    X(cria_list_files) X(cria_query_files) X(cria_get_file) X(cria_delete_file) X(                 \
        cria_get_file_content) X(cria_create_directory) X(cria_list_directories)                   \
        X(cria_get_directory) X(cria_update_directory) X(cria_delete_directory) X(                 \
            cria_add_directory_file) X(cria_list_directory_files) X(cria_upload_directory_file)    \
            X(cria_get_directory_file) X(cria_update_directory_file) X(cria_delete_directory_file) \
                X(cria_create_index) X(cria_list_indexes) X(cria_get_index) X(cria_delete_index)   \
                    X(cria_sync_index) X(cria_cancel_index_sync) X(cria_retrieve) X(               \
                        cria_find_files_page) X(cria_grep_file_page) X(cria_read_file)             \
                        X(cria_list_chat_sessions) X(cria_create_chat_session) X(                  \
                            cria_get_chat_session) X(cria_delete_chat_session)                     \
                            X(cria_get_chat_session_summary) X(cria_set_chat_session_title) X(     \
                                cria_stream_chat_turn) X(cria_resume_chat_turn)                    \
                                X(cria_cancel_chat_turn) X(cria_list_attachments) X(               \
                                    cria_get_attachment) X(cria_list_projects) X(cria_get_project) \
                                    X(cria_list_projects_v2) X(cria_get_project_v2) X(             \
                                        cria_create_configuration) X(cria_list_configurations)     \
                                        X(cria_get_configuration) X(cria_update_configuration)     \
                                            X(cria_delete_configuration) X(cria_download_blob)     \
                                                X(cria_health) X(cria_ready) X(cria_metrics_page)  \
                                                    X(cria_openapi_page) X(cria_admin_create_key)  \
                                                        X(cria_admin_list_keys)                    \
                                                            X(cria_admin_revoke_key)               \
                                                                X(cria_admin_create_project)       \
                                                                    X(cria_admin_list_projects)

#define X(name) void name(struct cria_exchange *ex);
CRIA_API_HANDLERS(X)
#undef X

#endif
