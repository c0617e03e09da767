# llhttp: the system's library where there is one (Fedora, Homebrew, Ubuntu's libllhttp-dev), else the generated
# C sources that Debian 12's package node-llhttp installs. 8.x needs a macro to be strict; 9.x is strict by itself.
pkg_check_modules(llhttp_pc QUIET IMPORTED_TARGET libllhttp)
if(llhttp_pc_FOUND)
  add_library(cria_llhttp INTERFACE)
  target_link_libraries(cria_llhttp INTERFACE PkgConfig::llhttp_pc)
else()
  find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp /usr/share/nodejs/llhttp/src NO_DEFAULT_PATH)
  find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp /usr/include NO_DEFAULT_PATH)
  if(NOT LLHTTP_SOURCES OR NOT LLHTTP_INCLUDE)
    message(FATAL_ERROR "llhttp not found: install libllhttp-dev (Ubuntu), llhttp-devel (Fedora), llhttp (Homebrew) "
                        "or node-llhttp (Debian 12)")
  endif()
  add_library(cria_llhttp STATIC ${LLHTTP_SOURCES}/llhttp.c ${LLHTTP_SOURCES}/api.c ${LLHTTP_SOURCES}/http.c)
  target_include_directories(cria_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
  target_compile_definitions(cria_llhttp PRIVATE LLHTTP_STRICT_MODE=1)
  target_compile_options(cria_llhttp PRIVATE -w)
endif()
