/* projects.h - a project's form on the wire. Room: api. */
#ifndef CRIA_API_PROJECTS_H
#define CRIA_API_PROJECTS_H

#include "base/json_out.h"
#include "store/records.h"

void cria_write_project(struct cria_json_out *out, const struct cria_project *row);

#endif
