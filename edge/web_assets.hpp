// The files of edge/web as they were when the binary was built.

#pragma once

#include <span>
#include <string_view>

namespace rollcall::edge {

/// One embedded file. All views have static storage and may be kept.
struct web_asset {
  /// Name of the file inside edge/web, without a leading slash.
  std::string_view path;

  /// Value for the `Content-Type` header.
  std::string_view content_type;

  /// The bytes of the file, unchanged.
  std::string_view body;
};

/// Returns every embedded file, in order of path. Safe from any thread.
std::span<const web_asset> web_assets();

} // namespace rollcall::edge
