#include "edge/protocol/field_reader.hpp"

#include "edge/protocol/tree_builder.hpp"

namespace rollcall::edge {

const value* field_reader::take(std::string_view key) {
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (fields_[i].first == key) {
      taken_.set(i);
      return &fields_[i].second;
    }
  return nullptr;
}

template <class T>
const T* field_reader::get(std::string_view key, need how,
                           const char* otherwise) {
  if (!ok())
    return nullptr;
  const auto* found = take(key);
  if (found == nullptr) {
    if (how == need::required)
      refuse(key, "is missing");
    return nullptr;
  }
  const auto* content = found->get_if<T>();
  if (content == nullptr)
    refuse(key, otherwise);
  return content;
}

const bool* field_reader::boolean(std::string_view key, need how) {
  return get<bool>(key, how, "must be true or false");
}

const value::map* field_reader::map(std::string_view key, need how) {
  return get<value::map>(key, how, "must be a map");
}

const value::array* field_reader::list(std::string_view key, need how) {
  return get<value::array>(key, how, "must be a list");
}

const std::string* field_reader::text(std::string_view key, std::size_t most,
                                      need how) {
  const auto* found = get<std::string>(key, how, "must be text");
  if (found == nullptr)
    return nullptr;
  if (found->empty()) {
    refuse(key, "must not be empty");
    return nullptr;
  }
  if (found->size() > most) {
    refuse(key, "is longer than " + std::to_string(most) + " bytes");
    return nullptr;
  }
  return found;
}

const std::int64_t* field_reader::integer(std::string_view key,
                                          std::int64_t least, std::int64_t most,
                                          need how) {
  const auto* found = get<std::int64_t>(key, how, "must be an integer");
  if (found != nullptr && (*found < least || *found > most)) {
    refuse(key, "must be from " + std::to_string(least) + " to "
                  + std::to_string(most));
    return nullptr;
  }
  return found;
}

void field_reader::refuse(std::string_view key, std::string message) {
  refuse(fail(errc::bad_request, std::move(message), path_of(key)));
}

void field_reader::refuse(failure why) {
  if (!why_)
    why_ = std::move(why);
}

std::string field_reader::path_of(std::string_view key) const {
  return joined_path(path_, key);
}

std::optional<failure> field_reader::finish() {
  if (why_)
    return why_;
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (!taken_.test(i)) {
      // Without a name it would look as if no field was meant.
      const std::string& name = fields_[i].first;
      return fail(errc::bad_request, "is not known here",
                  path_of(name.empty() ? "\"\"" : name));
    }
  return std::nullopt;
}

} // namespace rollcall::edge
