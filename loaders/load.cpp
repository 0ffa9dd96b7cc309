// Tells formats apart and loads. See load.h.
#include "loaders/load.h"

namespace tern {

Result<Graph> load_graph(std::span<const std::byte>, const std::string&, const LoadOptions&) { return invalid("no loader yet"); }

}  // namespace tern
