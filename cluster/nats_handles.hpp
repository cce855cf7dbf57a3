#pragma once

// What nats.c hands out, owned. Names its structs without its header, which
// only cluster/nats_*.cpp includes.

#include <memory>

// NOLINTBEGIN(bugprone-reserved-identifier)
struct __natsConnection;
struct __natsMsg;
struct __natsOptions;
struct __natsSubscription;
// NOLINTEND(bugprone-reserved-identifier)

namespace rollcall::cluster {

using nats_connection_handle = ::__natsConnection;
using nats_message_handle = ::__natsMsg;
using nats_options_handle = ::__natsOptions;
using nats_subscription_handle = ::__natsSubscription;

/// Gives a handle back to nats.c. A subscription is destroyed only after its
/// connection was closed: a message that arrives meanwhile can crash 3.4.1.
struct nats_deleter {
  void operator()(nats_message_handle* handle) const noexcept;
  void operator()(nats_options_handle* handle) const noexcept;
  void operator()(nats_subscription_handle* handle) const noexcept;
};

using nats_message_ptr = std::unique_ptr<nats_message_handle, nats_deleter>;
using nats_options_ptr = std::unique_ptr<nats_options_handle, nats_deleter>;
using nats_subscription_ptr
  = std::unique_ptr<nats_subscription_handle, nats_deleter>;

} // namespace rollcall::cluster
