#pragma once

// What is played against several nodes at once. Whoever runs us starts and
// ends nodes meanwhile; times are nanoseconds of the steady clock, which all
// processes of a machine share.

#include "tests/bench/load/workloads.hpp"

namespace rollcall::bench {

/// Makes `plan::rooms` rooms and nothing else.
[[nodiscard]] outcome make_rooms(const plan& what, const dialect& language);

/// One member per room at `plan::port` says something new every
/// `plan::period`, open loop, and another watches at `plan::observer_port`,
/// until standard input ends. Prints a line for each answer,
/// `A <room> <due> <answered> <epoch> <ok or code>`, and one for
/// each thing a member sees that nobody asked for, `E <member> <when> <what>
/// <the message>`. In the end the observers must have the last word of every
/// room.
[[nodiscard]] outcome probe(const plan& what, const dialect& language);

/// `plan::members` join rooms in turn, `plan::period` apart, through sockets
/// that are open; one observer per room waits for each at the other node.
[[nodiscard]] outcome timed_joins(const plan& what, const dialect& language);

/// This process' share of rooms that sit at several nodes: opens, waits until
/// everyone knows everyone, prints `ready`, and keeps its signs of life going
/// until it hears `count`; then tells what was seen since, and ends with
/// standard input.
[[nodiscard]] outcome hold(const plan& what, const dialect& language);

} // namespace rollcall::bench
