/* tool_table.h - the two halves of each tool, for the table in tools.c. Room: chat. */
#ifndef CRIA_CHAT_TOOL_TABLE_H
#define CRIA_CHAT_TOOL_TABLE_H

#include "chat/tools.h"

void cria_tool_retrieve_run(struct cria_tool_run *run);
void cria_tool_retrieve_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                             struct cria_buf *json, struct cria_buf *text);
void cria_tool_find_run(struct cria_tool_run *run);
void cria_tool_find_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                         struct cria_buf *json, struct cria_buf *text);
void cria_tool_grep_run(struct cria_tool_run *run);
void cria_tool_grep_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                         struct cria_buf *json, struct cria_buf *text);
void cria_tool_read_run(struct cria_tool_run *run);
void cria_tool_read_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                         struct cria_buf *json, struct cria_buf *text);

#endif
