/* routes.c - every route, on one screen. A fixed path stands before a template that fits it too. */
#include "api/handler.h"
#include "api/handlers.h"

enum {
    LOOP = CRIA_ROUTE_ON_LOOP,
    OPEN = CRIA_ROUTE_OPEN,
    WRITE = CRIA_ROUTE_WRITE,
    ADMIN = CRIA_ROUTE_ADMIN,
    REST = CRIA_ROUTE_REST
};
#define NONE CRIA_BODY_NONE
#define JSON CRIA_BODY_JSON
#define FORM CRIA_BODY_MULTIPART

#define BETA "/api/v1/beta"
#define DIRECTORY BETA "/directories/{directory_id}"
#define ENTRY DIRECTORY "/files/{directory_file_id}"
#define INDEX "/api/v1/indexes/{index_id}"
#define FIND "/api/v1/retrieval/files/"
#define CHAT "/api/v1/chat"
#define SESSION CHAT "/{session_id}"
#define CONFIG BETA "/configurations"

/* clang-format off */
const struct cria_route cria_routes[] = {
    {CRIA_POST,   BETA "/files",                   "createFile",            cria_api_create_file,              FORM, WRITE},
    {CRIA_GET,    BETA "/files",                   "listFiles",             cria_api_list_files,               NONE, 0},
    {CRIA_POST,   BETA "/files/query",             "queryFiles",            cria_api_query_files,              JSON, 0},
    {CRIA_GET,    BETA "/files/{file_id}",         "getFile",               cria_api_get_file,                 NONE, 0},
    {CRIA_DELETE, BETA "/files/{file_id}",         "deleteFile",            cria_api_delete_file,              NONE, WRITE},
    {CRIA_GET,    BETA "/files/{file_id}/content", "getFileContent",        cria_api_get_file_content,         NONE, 0},
    {CRIA_POST,   BETA "/directories",             "createDirectory",       cria_api_create_directory,         JSON, WRITE},
    {CRIA_GET,    BETA "/directories",             "listDirectories",       cria_api_list_directories,         NONE, 0},
    {CRIA_GET,    DIRECTORY,                       "getDirectory",          cria_api_get_directory,            NONE, 0},
    {CRIA_PATCH,  DIRECTORY,                       "updateDirectory",       cria_api_update_directory,         JSON, WRITE},
    {CRIA_DELETE, DIRECTORY,                       "deleteDirectory",       cria_api_delete_directory,         NONE, WRITE},
    {CRIA_POST,   DIRECTORY "/files",              "addDirectoryFile",      cria_api_add_directory_file,       JSON, WRITE},
    {CRIA_GET,    DIRECTORY "/files",              "listDirectoryFiles",    cria_api_list_directory_files,     NONE, 0},
    {CRIA_POST,   DIRECTORY "/files/upload",       "uploadDirectoryFile",   cria_api_upload_directory_file,    FORM, WRITE},
    {CRIA_GET,    ENTRY,                           "getDirectoryFile",      cria_api_get_directory_file,       NONE, 0},
    {CRIA_PATCH,  ENTRY,                           "updateDirectoryFile",   cria_api_update_directory_file,    JSON, WRITE},
    {CRIA_DELETE, ENTRY,                           "deleteDirectoryFile",   cria_api_delete_directory_file,    NONE, WRITE},
    {CRIA_POST,   "/api/v1/indexes",               "createIndex",           cria_api_create_index,             JSON, WRITE},
    {CRIA_GET,    "/api/v1/indexes",               "listIndexes",           cria_api_list_indexes,             NONE, 0},
    {CRIA_GET,    INDEX,                           "getIndex",              cria_api_get_index,                NONE, 0},
    {CRIA_DELETE, INDEX,                           "deleteIndex",           cria_api_delete_index,             NONE, WRITE},
    {CRIA_POST,   INDEX "/sync",                   "syncIndex",             cria_api_sync_index,               NONE, WRITE},
    {CRIA_POST,   INDEX "/sync/cancel",            "cancelIndexSync",       cria_api_cancel_index_sync,        NONE, WRITE},
    {CRIA_POST,   "/api/v1/retrieval/retrieve",    "retrieve",              cria_api_retrieve,                 JSON, 0},
    {CRIA_POST,   FIND "find",                     "findFiles",             cria_api_find_files,               JSON, 0},
    {CRIA_POST,   FIND "grep",                     "grepFile",              cria_api_grep_file,                JSON, 0},
    {CRIA_POST,   FIND "read",                     "readFile",              cria_api_read_file,                JSON, 0},
    {CRIA_GET,    CHAT,                            "listChatSessions",      cria_api_list_chat_sessions,       NONE, 0},
    {CRIA_POST,   CHAT,                            "createChatSession",     cria_api_create_chat_session,      JSON, WRITE | LOOP},
    {CRIA_GET,    SESSION,                         "getChatSession",        cria_api_get_chat_session,         NONE, 0},
    {CRIA_DELETE, SESSION,                         "deleteChatSession",     cria_api_delete_chat_session,      NONE, WRITE},
    {CRIA_GET,    SESSION "/summary",              "getChatSessionSummary", cria_api_get_chat_session_summary, NONE, 0},
    {CRIA_POST,   SESSION "/title",                "setChatSessionTitle",   cria_api_set_chat_session_title,   JSON, WRITE},
    {CRIA_POST,   SESSION "/messages/stream",      "streamChatTurn",        cria_api_stream_chat_turn,         JSON, WRITE},
    {CRIA_GET,    SESSION "/messages/stream",      "resumeChatTurn",        cria_api_resume_chat_turn,         NONE, 0},
    {CRIA_POST,   SESSION "/cancel",               "cancelChatTurn",        cria_api_cancel_chat_turn,         NONE, WRITE},
    {CRIA_GET,    BETA "/attachments",             "listAttachments",       cria_api_list_attachments,         NONE, 0},
    {CRIA_GET,    BETA "/attachments/{attachment_name}", "getAttachment",   cria_api_get_attachment,           NONE, REST},
    {CRIA_GET,    "/api/v1/projects",              "listProjects",          cria_api_list_projects,            NONE, 0},
    {CRIA_GET,    "/api/v1/projects/{project_id}", "getProject",            cria_api_get_project,              NONE, 0},
    {CRIA_GET,    "/api/v2/projects",              "listProjectsV2",        cria_api_list_projects_v2,         NONE, 0},
    {CRIA_GET,    "/api/v2/projects/{project_id}", "getProjectV2",          cria_api_get_project,              NONE, 0},
    {CRIA_POST,   CONFIG,                          "createConfiguration",   cria_api_create_configuration,     JSON, WRITE},
    {CRIA_GET,    CONFIG,                          "listConfigurations",    cria_api_list_configurations,      NONE, 0},
    {CRIA_GET,    CONFIG "/{config_id}",           "getConfiguration",      cria_api_get_configuration,        NONE, 0},
    {CRIA_PUT,    CONFIG "/{config_id}",           "updateConfiguration",   cria_api_update_configuration,     JSON, WRITE},
    {CRIA_DELETE, CONFIG "/{config_id}",           "deleteConfiguration",   cria_api_delete_configuration,     NONE, WRITE},
    {CRIA_GET,    "/api/v1/blobs/{blob_id}",       "downloadBlob",          cria_api_download_blob,            NONE, OPEN},
    /* Ours alone, not in the contract. */
    {CRIA_GET,    "/health",                       "health",                cria_api_health,                   NONE, OPEN | LOOP},
    {CRIA_GET,    "/ready",                        "ready",                 cria_api_ready,                    NONE, OPEN},
    {CRIA_GET,    "/metrics",                      "metrics",               cria_api_metrics,                  NONE, OPEN},
    {CRIA_GET,    "/openapi.yaml",                 "openapi",               cria_api_openapi,                  NONE, OPEN | LOOP},
    {CRIA_GET,    "/backup",                       "backup",                cria_api_backup,                   NONE, WRITE},
    {CRIA_GET,    "/export",                       "exportProject",         cria_api_export_project,           NONE, WRITE},
    {CRIA_POST,   "/import",                       "importProject",         cria_api_import_project,           FORM, WRITE},
    {CRIA_POST,   "/admin/keys",                   "adminCreateKey",        cria_api_admin_create_key,         JSON, ADMIN},
    {CRIA_GET,    "/admin/keys",                   "adminListKeys",         cria_api_admin_list_keys,          NONE, ADMIN},
    {CRIA_DELETE, "/admin/keys/{key_id}",          "adminRevokeKey",        cria_api_admin_revoke_key,         NONE, ADMIN},
    {CRIA_POST,   "/admin/projects",               "adminCreateProject",    cria_api_admin_create_project,     JSON, ADMIN},
    {CRIA_GET,    "/admin/projects",               "adminListProjects",     cria_api_admin_list_projects,      NONE, ADMIN},
};
/* clang-format on */
const size_t cria_route_count = CRIA_COUNT(cria_routes);
