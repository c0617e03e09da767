// cxx_test.cc - the header is C++: this compiles, links and asks for the version.
#include <cria/cria.h>

int main()
{
    cria_int number = CRIA_INT(5);
    return number.value == 5 && cria_version()[0] != '\0' ? 0 : 1;
}
