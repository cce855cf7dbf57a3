#include "actors/command_names.hpp"

namespace rollcall {

namespace {

struct namer {
  std::string_view operator()(const create_command&) const {
    return "create_session";
  }
  std::string_view operator()(const configure_command&) const {
    return "configure_session";
  }
  std::string_view operator()(const end_command&) const {
    return "end_session";
  }
  std::string_view operator()(const set_member_command&) const {
    return "set_member";
  }
  std::string_view operator()(const kick_command&) const {
    return "kick";
  }
  std::string_view operator()(const transfer_host_command&) const {
    return "transfer_host";
  }
  std::string_view operator()(const join_command&) const {
    return "join";
  }
  std::string_view operator()(const leave_command&) const {
    return "leave";
  }
  std::string_view operator()(const set_live_command&) const {
    return "set_live";
  }
  std::string_view operator()(const get_roster_command&) const {
    return "get_roster";
  }
  std::string_view operator()(const observe_command& body) const {
    return body.hidden ? "observe_hidden" : "observe";
  }
  std::string_view operator()(const set_phase_command&) const {
    return "set_phase";
  }
  std::string_view operator()(const open_round_command&) const {
    return "open_round";
  }
  std::string_view operator()(const close_round_command&) const {
    return "close_round";
  }
  std::string_view operator()(const submit_command&) const {
    return "submit";
  }
  std::string_view operator()(const get_round_command&) const {
    return "get_round";
  }
  std::string_view operator()(const start_barrier_command&) const {
    return "start_barrier";
  }
  std::string_view operator()(const set_ready_command&) const {
    return "set_ready";
  }
  std::string_view operator()(const set_reminder_command&) const {
    return "set_reminder";
  }
  std::string_view operator()(const renew_command&) const {
    return "renew";
  }
  std::string_view operator()(const get_history_command&) const {
    return "get_history";
  }
  std::string_view operator()(const get_audit_command&) const {
    return "get_audit";
  }
  std::string_view operator()(const list_sessions_command&) const {
    return "list_sessions";
  }
  std::string_view operator()(const delete_command&) const {
    return "delete_session";
  }
  std::string_view operator()(const erase_user_command&) const {
    return "erase_user";
  }
  std::string_view operator()(const forget_user_command&) const {
    return "forget_user";
  }
  std::string_view operator()(const invite_command&) const {
    return "invite";
  }
  std::string_view operator()(const uninvite_command&) const {
    return "uninvite";
  }
  std::string_view operator()(const withdraw_command&) const {
    return "withdraw";
  }
  std::string_view operator()(const set_name_command&) const {
    return "set_name";
  }
  std::string_view operator()(const ban_command&) const {
    return "ban";
  }
  std::string_view operator()(const unban_command&) const {
    return "unban";
  }
  std::string_view operator()(const put_group_command&) const {
    return "put_group";
  }
  std::string_view operator()(const get_group_command&) const {
    return "get_group";
  }
  std::string_view operator()(const settle_group_command&) const {
    return "settle_group";
  }
  std::string_view operator()(const get_course_command&) const {
    return "get_course";
  }
  std::string_view operator()(const get_members_command&) const {
    return "get_members";
  }
  std::string_view operator()(const get_bans_command&) const {
    return "get_bans";
  }
};

} // namespace

std::string_view name_of(const command_body& body) {
  return std::visit(namer{}, body);
}

} // namespace rollcall
