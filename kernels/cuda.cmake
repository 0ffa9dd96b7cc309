# The kernels of *.cu, where nvcc is. Each file is a module: nvcc makes PTX of it once for old cards (75) and once for the others (80), ptxas makes code of
# that for the cards below, and a fat binary holds all of it with the PTX for cards to come. The very PTX that tools/ptxsim runs in the tests.
#   tern_cuda_fatbin   runtime/cuda/modules.h: the fat binaries, for the library
#   tern_cuda_ptx      the PTX, for those who simulate
set(TERN_CUDA AUTO CACHE STRING "the CUDA device: AUTO (where nvcc is found), ON or OFF")
set(cuda_cards_75 75)        # PTX: the cards that get code of it
set(cuda_cards_80 80 90 120)
set(cuda_modules)
if(NOT TERN_CUDA STREQUAL "OFF" AND NOT CMAKE_CROSSCOMPILING)
  find_program(TERN_NVCC nvcc HINTS $ENV{CUDA_PATH}/bin $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
  if(TERN_NVCC)
    get_filename_component(cuda_bin ${TERN_NVCC} DIRECTORY)
    find_program(TERN_PTXAS ptxas HINTS ${cuda_bin})
    find_program(TERN_FATBINARY fatbinary HINTS ${cuda_bin})
  endif()
  if(TERN_NVCC AND TERN_PTXAS AND TERN_FATBINARY)
    file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*.cu)
  elseif(TERN_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TERN_CUDA=ON: nvcc, ptxas and fatbinary were not found; install the CUDA toolkit (12 or newer) or use AUTO")
  else()
    message(STATUS "CUDA: no nvcc was found, the device is left out")
  endif()
endif()
# No fast-math, nothing contracted, subnormals flushed: the numbers contract. Spilled registers and local memory are errors.
set(nvcc_flags -std=c++20 -fmad=false -ftz=true -prec-div=true -prec-sqrt=true -lineinfo -DTERN_ISA=cuda -I${CMAKE_SOURCE_DIR} -I${CMAKE_SOURCE_DIR}/runtime/include)
set(ptxas_flags -lineinfo -suppress-debug-info --warn-on-spills --warn-on-local-memory-usage -Werror)
set(cuda_outputs)
foreach(source ${cuda_sources})
  file(RELATIVE_PATH module ${CMAKE_SOURCE_DIR}/kernels ${source})
  string(REGEX REPLACE "\\.cu$" "" module ${module})
  string(REPLACE "/" "_" stem ${module})
  set(out ${CMAKE_BINARY_DIR}/cuda/${stem})
  set(images)
  set(cubins)
  foreach(ptx 75 80)
    add_custom_command(OUTPUT ${out}.${ptx}.ptx DEPFILE ${out}.${ptx}.d DEPENDS ${source} COMMENT "nvcc ${module}.cu (compute_${ptx})"
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/cuda
      COMMAND ${TERN_NVCC} -ptx ${nvcc_flags} -arch=compute_${ptx} -MD -MF ${out}.${ptx}.d -MT ${out}.${ptx}.ptx -o ${out}.${ptx}.ptx ${source} VERBATIM)
    foreach(card ${cuda_cards_${ptx}})
      add_custom_command(OUTPUT ${out}.${card}.cubin DEPENDS ${out}.${ptx}.ptx COMMENT "ptxas ${module} (sm_${card})"
        COMMAND ${TERN_PTXAS} ${ptxas_flags} -arch=sm_${card} -o ${out}.${card}.cubin ${out}.${ptx}.ptx VERBATIM)
      list(APPEND images --image3=kind=elf,sm=${card},file=${out}.${card}.cubin)
      list(APPEND cubins ${out}.${card}.cubin)
      list(APPEND cuda_cubins ${out}.${card}.cubin)
    endforeach()
  endforeach()
  add_custom_command(OUTPUT ${out}.fatbin DEPENDS ${cubins} ${out}.80.ptx COMMENT "fatbinary ${module}"
    COMMAND ${TERN_FATBINARY} --create=${out}.fatbin -64 --compress-all ${images} --image3=kind=ptx,sm=80,file=${out}.80.ptx VERBATIM)
  list(APPEND cuda_modules ${module})
  list(APPEND cuda_outputs ${out}.fatbin)
  list(APPEND cuda_ptx ${out}.75.ptx ${out}.80.ptx)
endforeach()

# A source that carries files and a table of them: name, begin, end.
function(tern_embed table suffix)  # tern_embed(table suffix module...): cuda/<table>.cpp in the build folder
  set(text "#include \"runtime/cuda/modules.h\"\n")
  set(rows "")
  foreach(module ${ARGN})
    string(REPLACE "/" "_" stem ${module})
    set(symbol tern_embedded_${table}_${stem})
    string(APPEND text "__asm__(\".section .rodata\\n.balign 64\\n.hidden ${symbol}\\n.global ${symbol}\\n${symbol}:\\n.incbin \\\"${CMAKE_BINARY_DIR}/cuda/${stem}${suffix}\\\"\\n"
      ".byte 0\\n.hidden ${symbol}_end\\n.global ${symbol}_end\\n${symbol}_end:\\n.previous\\n\");\n"
      "extern \"C\" const std::byte ${symbol}[], ${symbol}_end[];\n")
    string(APPEND rows "    {\"${module}\", {${symbol}, static_cast<size_t>(${symbol}_end - ${symbol} - 1)}},\n")
  endforeach()
  string(APPEND text "namespace tern::cuda {\nstd::span<const DeviceModule> ${table}() {\n  static const std::vector<DeviceModule> all = {\n${rows}  };\n  return all;\n}\n}  // namespace tern::cuda\n")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/cuda/${table}.cpp CONTENT "${text}" @ONLY)
  set_source_files_properties(${CMAKE_BINARY_DIR}/cuda/${table}.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
tern_embed(device_modules .fatbin ${cuda_modules})
tern_embed(ptx_modules .80.ptx ${cuda_modules})
tern_embed(ptx_modules_75 .75.ptx ${cuda_modules})
if(cuda_modules)
  set_source_files_properties(${CMAKE_BINARY_DIR}/cuda/device_modules.cpp PROPERTIES OBJECT_DEPENDS "${cuda_outputs}")
endif()
add_custom_target(tern_cuda_ptx DEPENDS ${cuda_ptx})
