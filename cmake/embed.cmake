# cria_embed(<target> <file> <symbol>): the file's bytes as `const char <symbol>[]` and `const size_t <symbol>_len`,
# by the assembler's .incbin.
enable_language(ASM)
function(cria_embed target file symbol)
  set(source ${CMAKE_BINARY_DIR}/embed/${symbol}.S)
  set(path ${CMAKE_SOURCE_DIR}/${file})
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [=[
#ifdef __APPLE__
#define SYM(x) _##x
.const_data
#else
#define SYM(x) x
.section .rodata
#endif
.globl SYM(@symbol@)
.globl SYM(@symbol@_len)
.balign 8
SYM(@symbol@):
.incbin "@path@"
1:
.byte 0
.balign 8
SYM(@symbol@_len):
.quad 1b - SYM(@symbol@)
#ifdef __linux__
.section .note.GNU-stack,"",%progbits
#endif
]=])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(${target} PRIVATE ${source})
endfunction()
