/* routes.c - every route of the server. Names are the contract's operationIds: the labels in logs
 * and metrics. */
#include "api/api.h"
#include "api/handlers.h"

enum { W = CRIA_ROUTE_WRITE, OPEN = CRIA_ROUTE_OPEN, ADMIN = CRIA_ROUTE_ADMIN | CRIA_ROUTE_OPEN };
#define NONE CRIA_BODY_NONE
#define JSON CRIA_BODY_JSON
#define FORM CRIA_BODY_MULTIPART
#define DIRECTORY "/api/v1/beta/directories/{directory_id}"
#define FILES "/api/v1/beta/files"
#define INDEX "/api/v1/indexes/{index_id}"
#define CHAT "/api/v1/chat/{session_id}"
#define CONFIG "/api/v1/beta/configurations"

/* clang-format off: a table to be read across */
const struct cria_route cria_routes[] = {
    {CRIA_POST, FILES, "createFile", cria_create_file, FORM, W},
    {CRIA_GET, FILES, "listFiles", cria_list_files, NONE, 0},
    {CRIA_POST, FILES "/query", "queryFiles", cria_query_files, JSON, 0},
    {CRIA_GET, FILES "/{file_id}", "getFile", cria_get_file, NONE, 0},
    {CRIA_DELETE, FILES "/{file_id}", "deleteFile", cria_delete_file, NONE, W},
    {CRIA_GET, FILES "/{file_id}/content", "getFileContent", cria_get_file_content, NONE, 0},
    {CRIA_POST, "/api/v1/beta/directories", "createDirectory", cria_create_directory, JSON, W},
    {CRIA_GET, "/api/v1/beta/directories", "listDirectories", cria_list_directories, NONE, 0},
    {CRIA_GET, DIRECTORY, "getDirectory", cria_get_directory, NONE, 0},
    {CRIA_PATCH, DIRECTORY, "updateDirectory", cria_update_directory, JSON, W},
    {CRIA_DELETE, DIRECTORY, "deleteDirectory", cria_delete_directory, NONE, W},
    {CRIA_POST, DIRECTORY "/files", "addDirectoryFile", cria_add_directory_file, JSON, W},
    {CRIA_GET, DIRECTORY "/files", "listDirectoryFiles", cria_list_directory_files, NONE, 0},
    {CRIA_POST, DIRECTORY "/files/upload", "uploadDirectoryFile", cria_upload_directory_file, FORM,
     W},
    {CRIA_GET, DIRECTORY "/files/{entry_id}", "getDirectoryFile", cria_get_directory_file, NONE, 0},
    {CRIA_PATCH, DIRECTORY "/files/{entry_id}", "updateDirectoryFile", cria_update_directory_file,
     JSON, W},
    {CRIA_DELETE, DIRECTORY "/files/{entry_id}", "deleteDirectoryFile", cria_delete_directory_file,
     NONE, W},
    {CRIA_POST, "/api/v1/indexes", "createIndex", cria_create_index, JSON, W},
    {CRIA_GET, "/api/v1/indexes", "listIndexes", cria_list_indexes, NONE, 0},
    {CRIA_GET, INDEX, "getIndex", cria_get_index, NONE, 0},
    {CRIA_DELETE, INDEX, "deleteIndex", cria_delete_index, NONE, W},
    {CRIA_POST, INDEX "/sync", "syncIndex", cria_sync_index, NONE, W},
    {CRIA_POST, INDEX "/sync/cancel", "cancelIndexSync", cria_cancel_index_sync, NONE, W},
    {CRIA_POST, "/api/v1/retrieval/retrieve", "retrieve", cria_retrieve, JSON, 0},
    {CRIA_POST, "/api/v1/retrieval/files/find", "findFiles", cria_find_files_page, JSON, 0},
    {CRIA_POST, "/api/v1/retrieval/files/grep", "grepFile", cria_grep_file_page, JSON, 0},
    {CRIA_POST, "/api/v1/retrieval/files/read", "readFile", cria_read_file, JSON, 0},
    {CRIA_GET, "/api/v1/chat", "listChatSessions", cria_list_chat_sessions, NONE, 0},
    {CRIA_POST, "/api/v1/chat", "createChatSession", cria_create_chat_session, JSON,
     W | CRIA_ROUTE_ON_LOOP},
    {CRIA_GET, CHAT, "getChatSession", cria_get_chat_session, NONE, 0},
    {CRIA_DELETE, CHAT, "deleteChatSession", cria_delete_chat_session, NONE, W},
    {CRIA_GET, CHAT "/summary", "getChatSessionSummary", cria_get_chat_session_summary, NONE, 0},
    {CRIA_POST, CHAT "/title", "setChatSessionTitle", cria_set_chat_session_title, JSON, W},
    {CRIA_POST, CHAT "/messages/stream", "streamChatTurn", cria_stream_chat_turn, JSON, W},
    {CRIA_GET, CHAT "/messages/stream", "resumeChatTurn", cria_resume_chat_turn, NONE, 0},
    {CRIA_POST, CHAT "/cancel", "cancelChatTurn", cria_cancel_chat_turn, NONE, W},
    {CRIA_GET, "/api/v1/beta/attachments", "listAttachments", cria_list_attachments, NONE, 0},
    {CRIA_GET, "/api/v1/beta/attachments/{name}", "getAttachment", cria_get_attachment, NONE,
     CRIA_ROUTE_REST},
    {CRIA_GET, "/api/v1/projects", "listProjects", cria_list_projects, NONE, 0},
    {CRIA_GET, "/api/v1/projects/{project_id}", "getProject", cria_get_project, NONE, 0},
    {CRIA_GET, "/api/v2/projects", "listProjectsV2", cria_list_projects_v2, NONE, 0},
    {CRIA_GET, "/api/v2/projects/{project_id}", "getProjectV2", cria_get_project_v2, NONE, 0},
    {CRIA_POST, CONFIG, "createConfiguration", cria_create_configuration, JSON, W},
    {CRIA_GET, CONFIG, "listConfigurations", cria_list_configurations, NONE, 0},
    {CRIA_GET, CONFIG "/{config_id}", "getConfiguration", cria_get_configuration, NONE, 0},
    {CRIA_PUT, CONFIG "/{config_id}", "updateConfiguration", cria_update_configuration, JSON, W},
    {CRIA_DELETE, CONFIG "/{config_id}", "deleteConfiguration", cria_delete_configuration, NONE, W},
    {CRIA_GET, "/api/v1/blobs/{blob_id}", "downloadBlob", cria_download_blob, NONE, OPEN},
    /* Cria's own: operation and administration */
    {CRIA_GET, "/health", "health", cria_health, NONE, OPEN | CRIA_ROUTE_ON_LOOP},
    {CRIA_GET, "/ready", "ready", cria_ready, NONE, OPEN | CRIA_ROUTE_ON_LOOP},
    {CRIA_GET, "/metrics", "metrics", cria_metrics_page, NONE, 0},
    {CRIA_GET, "/openapi.yaml", "openapi", cria_openapi_page, NONE, OPEN | CRIA_ROUTE_ON_LOOP},
    {CRIA_POST, "/admin/keys", "adminCreateKey", cria_admin_create_key, JSON, ADMIN},
    {CRIA_GET, "/admin/keys", "adminListKeys", cria_admin_list_keys, NONE, ADMIN},
    {CRIA_DELETE, "/admin/keys/{key_id}", "adminRevokeKey", cria_admin_revoke_key, NONE, ADMIN},
    {CRIA_POST, "/admin/projects", "adminCreateProject", cria_admin_create_project, JSON, ADMIN},
    {CRIA_GET, "/admin/projects", "adminListProjects", cria_admin_list_projects, NONE, ADMIN},
};
/* clang-format on */
const size_t cria_route_count = CRIA_COUNT(cria_routes);
