// Sessions where the user wants them: on the CPU, a GPU, or the simulated one. See command.h.
#ifdef TERN_PTXSIM
#include "tools/ptxsim/device/device.h"
#endif

#include "runtime/model.h"
#include "tools/tern/command.h"

namespace tern::command {

Result<Session> open_session(const Model& model, const SessionOptions& options) {
  if (options.device != "ptxsim" && options.device != "ptxsim,cpu") return model.session(options);
#ifdef TERN_PTXSIM
  static const auto device = cuda::simulated_device();
  if (!device) return device.error();
  return session_on(model, options, *device);
#else
  return unsupported("device ptxsim: this build has no CUDA kernels to simulate; build it where nvcc is (TERN_CUDA=ON)");
#endif
}

std::string device_of(const SessionOptions& options, const Session& session) {
  if (options.device == "auto") return session.isa() == name(Isa::cuda) ? "cuda" : "cpu";
  return options.device.empty() ? "cpu" : options.device;
}

}  // namespace tern::command
