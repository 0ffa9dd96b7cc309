// What the kernels of norm.cu read besides the arguments of norm.h. Plain C: nvcc includes it. Next: launch.cpp.
#pragma once
#include "kernels/fast_div.h"
#include "kernels/norm/norm.h"

namespace tern::cuda {

constexpr int kNormBlock = 128;      // threads, where half a warp has a row or a thread an element
constexpr int kNormLongBlock = 256;  // where a block has one
constexpr int kNormShort = 256;      // most columns of a row that half a warp keeps in 16 registers a thread
constexpr int kNormMedium = 512;     // in 32
constexpr int kNormLong = 12000;     // most that shared memory keeps: 48 KB, less what a kernel has besides
constexpr int kNormChunk = 4096;     // of longer ones, at a time

template <class Div>
struct GroupNormUnits {
  GroupNormArgs a;
  Div inner;
};
template <class Div>
struct BatchNormUnits {
  BatchNormArgs a;
  Div inner, channels;
  typename Div::Int units;
};
template <class Div>
struct LrnUnits {
  LrnArgs a;
  Div inner, channels;
  typename Div::Int units;
};

}  // namespace tern::cuda
