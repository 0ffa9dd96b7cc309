// The entry points of libcuda.so.1 that tern calls, declared as the driver's ABI has them (CUDA 12 and later), so that no toolkit is needed to build and no
// driver to start. Next: driver.cpp.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tern::cuda {

using CuResult = int;  // 0: done
using CuDevice = int;
using CuPointer = unsigned long long;
struct CuContextTag;
struct CuModuleTag;
struct CuFunctionTag;
struct CuStreamTag;
struct CuGraphTag;
struct CuGraphExecTag;
struct CuEventTag;
using CuContext = CuContextTag*;
using CuModule = CuModuleTag*;
using CuFunction = CuFunctionTag*;
using CuStream = CuStreamTag*;
using CuGraph = CuGraphTag*;
using CuGraphExec = CuGraphExecTag*;
using CuEvent = CuEventTag*;

constexpr CuResult kCuOutOfMemory = 2, kCuNoDevice = 100, kCuInvalidDevice = 101, kCuNotFound = 500, kCuNotReady = 600, kCuUnknown = 999;
constexpr int kCuMajor = 75, kCuMinor = 76;  // device attributes: the compute capability
constexpr int kCuMaxDynamicShared = 8;       // of a function
constexpr unsigned kCuNonBlocking = 1;       // of a stream: it does not wait for others
constexpr int kCuCaptureThreadLocal = 1;     // of a capture: calls of other threads are none of its business
constexpr int kCuScheduleSpin = 1;           // of a context: waiting spins
constexpr unsigned kCuBlockingSync = 1;      // of an event: waiting for it sleeps
constexpr unsigned kCuDisableTiming = 2;     // of an event

// name(symbol, parameters): each becomes a member `symbol` of Driver. The versioned names are those that the macros of the toolkit stand for.
#define TERN_CUDA_DRIVER(F)                                                                                                     \
  F(cuInit, unsigned)                                                                                                           \
  F(cuDriverGetVersion, int*)                                                                                                   \
  F(cuGetErrorName, CuResult, const char**)                                                                                     \
  F(cuGetErrorString, CuResult, const char**)                                                                                   \
  F(cuDeviceGetCount, int*)                                                                                                     \
  F(cuDeviceGet, CuDevice*, int)                                                                                                \
  F(cuDeviceGetName, char*, int, CuDevice)                                                                                      \
  F(cuDeviceGetAttribute, int*, int, CuDevice)                                                                                  \
  F(cuDevicePrimaryCtxSetFlags_v2, CuDevice, unsigned)                                                                          \
  F(cuDevicePrimaryCtxRetain, CuContext*, CuDevice)                                                                             \
  F(cuDevicePrimaryCtxRelease_v2, CuDevice)                                                                                     \
  F(cuCtxPushCurrent_v2, CuContext)                                                                                             \
  F(cuCtxPopCurrent_v2, CuContext*)                                                                                             \
  F(cuMemAlloc_v2, CuPointer*, size_t)                                                                                          \
  F(cuMemFree_v2, CuPointer)                                                                                                    \
  F(cuMemHostAlloc, void**, size_t, unsigned)                                                                                   \
  F(cuMemFreeHost, void*)                                                                                                       \
  F(cuMemcpyHtoD_v2, CuPointer, const void*, size_t)                                                                            \
  F(cuMemcpyHtoDAsync_v2, CuPointer, const void*, size_t, CuStream)                                                             \
  F(cuMemcpyDtoHAsync_v2, void*, CuPointer, size_t, CuStream)                                                                   \
  F(cuMemcpyDtoDAsync_v2, CuPointer, CuPointer, size_t, CuStream)                                                               \
  F(cuMemsetD8Async, CuPointer, unsigned char, size_t, CuStream)                                                                \
  F(cuModuleLoadData, CuModule*, const void*)                                                                                   \
  F(cuModuleUnload, CuModule)                                                                                                   \
  F(cuModuleGetFunction, CuFunction*, CuModule, const char*)                                                                    \
  F(cuFuncSetAttribute, CuFunction, int, int)                                                                                   \
  F(cuLaunchKernel, CuFunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CuStream, void**, void**) \
  F(cuStreamCreate, CuStream*, unsigned)                                                                                        \
  F(cuStreamDestroy_v2, CuStream)                                                                                               \
  F(cuStreamBeginCapture_v2, CuStream, int)                                                                                     \
  F(cuStreamEndCapture, CuStream, CuGraph*)                                                                                     \
  F(cuStreamSynchronize, CuStream)                                                                                              \
  F(cuGraphInstantiateWithFlags, CuGraphExec*, CuGraph, unsigned long long)                                                     \
  F(cuGraphUpload, CuGraphExec, CuStream)                                                                                       \
  F(cuGraphLaunch, CuGraphExec, CuStream)                                                                                       \
  F(cuGraphExecDestroy, CuGraphExec)                                                                                            \
  F(cuGraphDestroy, CuGraph)                                                                                                    \
  F(cuEventCreate, CuEvent*, unsigned)                                                                                          \
  F(cuEventRecord, CuEvent, CuStream)                                                                                           \
  F(cuEventSynchronize, CuEvent)                                                                                                \
  F(cuEventElapsedTime, float*, CuEvent, CuEvent)                                                                               \
  F(cuEventDestroy_v2, CuEvent)

struct DriverApi {
#define TERN_DECLARE(name, ...) CuResult (*name)(__VA_ARGS__) = nullptr;
  TERN_CUDA_DRIVER(TERN_DECLARE)
#undef TERN_DECLARE
};

}  // namespace tern::cuda
