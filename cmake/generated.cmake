# The generated code: codegen/ turns models/ into one library of shapes and tables per service (brume_models_<service>),
# one with the table of its handlers (brume_handlers_<service>, linked by app only: it needs every handler), and one with
# the names of all of AWS's operations (brume_models_names).
set(generated_services sts iam ec2 elbv2 ecs ecr logs s3 dynamodb cloudtrail resourcegroupstaggingapi sqs)
set(gen ${CMAKE_BINARY_DIR}/gen)
file(GLOB codegen_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/codegen/*.py)
set(codegen ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/codegen/generate.py ${CMAKE_SOURCE_DIR})

foreach(service ${BRUME_SERVICES})
  add_custom_command(
    OUTPUT ${gen}/gen/${service}.h ${gen}/${service}_tables.cpp ${gen}/${service}_handlers.cpp
    COMMAND ${codegen} ${service} ${gen}
    DEPENDS ${codegen_sources} ${CMAKE_SOURCE_DIR}/models/${service}.json ${CMAKE_SOURCE_DIR}/models/served/${service}.txt
    COMMENT "Generating ${service}")
  add_library(brume_models_${service} STATIC ${gen}/gen/${service}.h ${gen}/${service}_tables.cpp)
  target_include_directories(brume_models_${service} SYSTEM PUBLIC ${gen})
  target_include_directories(brume_models_${service} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(brume_models_${service} PUBLIC brume_core)
  set_source_files_properties(${gen}/${service}_tables.cpp PROPERTIES COMPILE_OPTIONS "-Wno-invalid-offsetof")

  add_library(brume_handlers_${service} STATIC EXCLUDE_FROM_ALL ${gen}/${service}_handlers.cpp)
  target_link_libraries(brume_handlers_${service} PUBLIC brume_services_${service} brume_models_${service})
  brume_quick(brume_models_${service} brume_handlers_${service})
endforeach()

set(served_models ${BRUME_SERVICES})
list(TRANSFORM served_models REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/models/\\1.json")
add_custom_command(
  OUTPUT ${gen}/operation_names.cpp
  COMMAND ${codegen} --names ${gen}
  DEPENDS ${codegen_sources} ${CMAKE_SOURCE_DIR}/models/operations.txt ${served_models}
  COMMENT "Generating the names of operations")
add_library(brume_models_names STATIC ${gen}/operation_names.cpp)
# The front refuses unserved operations by name. Its target is made later, in the same directory.
cmake_language(DEFER CALL target_link_libraries brume_front PUBLIC brume_models_names)

# The codecs alone, for programs that need nothing else of the front, and the driver of tests/conformance/protocols, which
# feeds other people's vectors to them.
file(GLOB protocol_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/front/protocols/*.cpp)
set(protocol_tests ${protocol_sources})
list(FILTER protocol_tests INCLUDE REGEX "_test\\.cpp$")
list(FILTER protocol_sources EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cpp$")
add_library(brume_protocols STATIC EXCLUDE_FROM_ALL ${protocol_sources})
target_link_libraries(brume_protocols PUBLIC brume_core brume_aws brume_models_names PkgConfig::SIMDJSON
  PkgConfig::PUGIXML PkgConfig::RE2 PRIVATE brume_warnings)
add_executable(brume_protocols_test EXCLUDE_FROM_ALL ${protocol_tests})
target_link_libraries(brume_protocols_test PRIVATE brume_protocols GTest::gmock GTest::gtest_main brume_warnings)
add_executable(brume_protocol_vectors EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/conformance/protocols/driver.cpp)
target_link_libraries(brume_protocol_vectors PRIVATE brume_protocols brume_warnings)
foreach(service ${generated_services})
  target_link_libraries(brume_protocol_vectors PRIVATE brume_models_${service})
endforeach()
