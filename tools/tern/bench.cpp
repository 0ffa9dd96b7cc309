// tern bench: placeholder
#include "tools/tern/command.h"
namespace tern::command {
int bench(const Options&) { return fail("cannot bench", unsupported("not in this build yet")); }
}
