# Writes OUTPUT, a source file that holds the bytes of FILES ("|"-separated).

set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_svg "image/svg+xml")

set(arrays "")
set(table "")
set(index 0)
string(REPLACE "|" ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  string(REGEX REPLACE ".*\\." "" extension "${name}")
  file(READ "${file}" bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays
    "constexpr char file_${index}[] = {\n${bytes}'\\0'};\n\n")
  string(APPEND table
    "  {\"${name}\", \"${type_${extension}}\",\n"
    "   std::string_view{file_${index}, sizeof file_${index} - 1}},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUTPUT}" "#include \"edge/web_assets.hpp\"

#include <array>

namespace {

${arrays}constexpr std::array<rollcall::edge::web_asset, ${index}> assets{{
${table}}};

} // namespace

namespace rollcall::edge {

std::span<const web_asset> web_assets() {
  return assets;
}

} // namespace rollcall::edge
")
