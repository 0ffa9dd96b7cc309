# What nvcc and ptxas made of the kernels, where they are. tools/sass counts it.
add_executable(sass_census ${CMAKE_SOURCE_DIR}/tools/sass/census.cpp ${CMAKE_SOURCE_DIR}/tools/sass/cubin.cpp)
add_test(NAME cuda/census COMMAND sass_census --expect ${CMAKE_CURRENT_SOURCE_DIR}/cuda/census.txt ${cuda_cubins} COMMAND_EXPAND_LISTS)
set(sass_cubins)
foreach(stem calibration spilled)
  foreach(card ${cuda_cards})
    set(cubin ${CMAKE_BINARY_DIR}/cuda/sass_${stem}.${card}.cubin)
    add_custom_command(OUTPUT ${cubin} DEPENDS cuda/sass/${stem}.cu COMMENT "nvcc ${stem}.cu (sm_${card})"
      COMMAND ${TERN_NVCC} -cubin -arch=sm_${card} -fmad=false -o ${cubin} ${CMAKE_CURRENT_SOURCE_DIR}/cuda/sass/${stem}.cu VERBATIM)
    list(APPEND ${stem}_cubins ${cubin})
  endforeach()
endforeach()
add_custom_target(sass_cubins ALL DEPENDS ${calibration_cubins} ${spilled_cubins})
add_test(NAME cuda/census_calibration COMMAND sass_census --expect ${CMAKE_CURRENT_SOURCE_DIR}/cuda/sass/calibration.txt ${calibration_cubins} COMMAND_EXPAND_LISTS)
add_test(NAME cuda/census_finds_local_memory COMMAND sass_census ${spilled_cubins} COMMAND_EXPAND_LISTS)
set_tests_properties(cuda/census cuda/census_calibration cuda/census_finds_local_memory PROPERTIES LABELS cuda)
set_tests_properties(cuda/census_finds_local_memory PROPERTIES WILL_FAIL ON)

# The driver's own interface, with the simulator behind it.
add_library(fake_driver SHARED programs/fake_driver.cpp)
target_link_libraries(fake_driver PRIVATE ptxsim_device)
set_target_properties(fake_driver PROPERTIES OUTPUT_NAME cuda SOVERSION 1 LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fake_driver CXX_VISIBILITY_PRESET default)
