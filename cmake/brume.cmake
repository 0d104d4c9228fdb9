# How this repository's folders become targets. See CMakeLists.txt for who links whom.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths below the checkout count as relative ones, so that another checkout of the same sources compiles nothing anew.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
add_link_options(-fuse-ld=mold)

add_library(brume_warnings INTERFACE)
target_compile_options(brume_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wsuggest-override -Wthread-safety -Werror -Wno-missing-field-initializers
  -Wno-missing-designated-field-initializers)

# brume_quick(targets...): with sanitizers these compile unoptimized and unseen by libFuzzer, in two thirds of the time:
# what only the smoke of the whole program needs.
function(brume_quick)
  if(BRUME_FUZZ)
    foreach(target ${ARGN})
      target_compile_options(${target} PRIVATE -O0 -fno-sanitize=fuzzer-no-link)
    endforeach()
  endif()
endfunction()

add_custom_target(brume_tests)
add_custom_target(brume_benches)

# brume_library(folder LINK targets...): library brume_<folder> of src/<folder>, with its tests, benches and fuzz targets.
function(brume_library folder)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(target brume_${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  set(benches ${sources})
  set(references ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  # Slow and obvious second implementations, for the tests and fuzz targets of the folder.
  list(FILTER references INCLUDE REGEX "/reference_[a-z_]+\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "/reference_[a-z_]+\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|main)\\.cpp$")
  if(NOT sources)  # A folder without sources yet: an empty library, so that whoever links it configures alike.
    file(TOUCH ${CMAKE_BINARY_DIR}/empty.cpp)
    set(sources ${CMAKE_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${ARG_LINK} Threads::Threads PRIVATE brume_warnings)
  if(folder MATCHES "^(services/|app$)" AND NOT fuzzers)
    brume_quick(${target})
  endif()
  if(tests)
    add_executable(${target}_test ${tests} ${references})
    target_link_libraries(${target}_test PRIVATE ${target} GTest::gmock GTest::gtest_main brume_warnings)
    add_test(NAME ${target} COMMAND ${target}_test)
    add_dependencies(brume_tests ${target}_test)
  endif()
  if(benches)
    add_executable(${target}_bench ${benches})
    target_link_libraries(${target}_bench PRIVATE ${target} benchmark::benchmark_main brume_warnings)
    set_target_properties(${target}_bench PROPERTIES EXCLUDE_FROM_ALL TRUE)
    add_dependencies(brume_benches ${target}_bench)
  endif()
  if(BRUME_FUZZ)
    foreach(source ${fuzzers})
      get_filename_component(fuzz ${source} NAME_WE)
      add_executable(${fuzz} ${source} ${references})
      target_link_libraries(${fuzz} PRIVATE ${target} brume_warnings)
      target_link_options(${fuzz} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# The generated shapes: one library brume_models_<service> per served service, from models/ by codegen/.
function(brume_generated)
  include(${CMAKE_SOURCE_DIR}/cmake/generated.cmake)
endfunction()

function(brume_executable)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/src/app/main.cpp)
    return()
  endif()
  add_executable(brume ${CMAKE_SOURCE_DIR}/src/app/main.cpp)
  target_link_libraries(brume PRIVATE brume_app brume_warnings)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    # The allocator whole, since the C++ library's operator new is found before it. The sanitizers have their own.
    brume_tcmalloc(allocator)
    target_link_options(brume PRIVATE "SHELL:-Wl,--whole-archive ${allocator} -Wl,--no-whole-archive")
    # Symbols are looked for in the libraries' order, and most are the C++ library's: a start is 1.4 ms shorter with it
    # first.
    target_link_options(brume PRIVATE "SHELL:-Wl,--no-as-needed -lstdc++ -lc -Wl,--as-needed")
  endif()
endfunction()
