// Mod: the remainder with the sign of the divisor (Python's), or with fmod = 1 of the dividend. See elementwise.h.
#include "kernels/elementwise/mod.h"

#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"

namespace tern {
namespace {

using namespace functions;
constexpr Text kModModule("elementwise/mod");

std::optional<Dim> symbolic_mod(std::span<const Dim> in, const AttrReader& attrs) {
  if (!in[0].known() || !in[1].known() || in[1].value() == 0 || in[1].value() == -1) return std::nullopt;
  const int64_t b = in[1].value(), r = in[0].value() % b;
  return Dim(attrs.i("fmod") == 0 && r != 0 && (r < 0) != (b < 0) ? r + b : r);
}

constexpr auto& kModRows = rows_of<TERN_ON_EACH_ISA(mod_wide), kBinary<"mod", Mod{}, Ints>, cuda::kPlainBinary<kModModule, "mod", Floats>,
                                   cuda::kPlainBinary<kModModule, "mod", Ints>>;
constexpr auto& kFmodRows = rows_of<TERN_ON_EACH_ISA(fmod_wide), kBinary<"fmod", Fmod{}, Ints>, cuda::kPlainBinary<kModModule, "fmod", Floats>,
                                    cuda::kPlainBinary<kModModule, "fmod", Ints>>;
constexpr AttrSpec kAttrs[] = {{"fmod", AttrKind::i, 0}};
Status bind_mod(BindContext& c) {
  const std::span<const KernelRow* const> rows = c.attrs.i("fmod") != 0 ? kFmodRows : kModRows;
  return bind_binary(c, pick(rows, c.in(0).dtype, c.isa));
}

}  // namespace

extern constinit const OpDef kMod = {
    .name = "Mod",
    .inputs = {2, 2},
    .outputs = {1, 1},
    .attrs = kAttrs,
    .infer = infer_binary<is_number>,
    .bind = bind_mod,
    .kernels = rows_of<TERN_ON_EACH_ISA(mod_wide), kBinary<"mod", Mod{}, Ints>, cuda::kPlainBinary<kModModule, "mod", Floats>,
                       cuda::kPlainBinary<kModModule, "mod", Ints>, TERN_ON_EACH_ISA(fmod_wide), kBinary<"fmod", Fmod{}, Ints>,
                       cuda::kPlainBinary<kModModule, "fmod", Floats>, cuda::kPlainBinary<kModModule, "fmod", Ints>>,
    .inplace_inputs = 3,
    .symbolic = symbolic_mod};

}  // namespace tern
