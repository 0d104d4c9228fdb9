# brume_embed(target FILE name): the text of FILE as `const std::string_view brume::embedded::name`, declared where used.
function(brume_embed target file name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  file(READ ${CMAKE_SOURCE_DIR}/${file} BRUME_TEXT)
  set(BRUME_NAME ${name})
  string(CONFIGURE [[
#include <string_view>
namespace brume::embedded {
extern const std::string_view @BRUME_NAME@;
const std::string_view @BRUME_NAME@ = R"embedded(@BRUME_TEXT@)embedded";
}  // namespace brume::embedded
]] content @ONLY)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/embedded_${name}.cpp CONTENT "${content}" @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/embedded_${name}.cpp)
endfunction()
