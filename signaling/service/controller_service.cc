#include "signaling/service/controller_service.h"

#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "process/grpc_status.h"
#include "signaling/service/asked_account.h"
#include "signaling/service/request_fields.h"
#include "signaling/service/to_proto.h"

namespace sluice::service {

using controller::v1::CreateAccountRequest;
using controller::v1::CreateAccountResponse;
using controller::v1::DeleteAccountRequest;
using controller::v1::DeleteAccountResponse;
using controller::v1::DrainControllerRequest;
using controller::v1::DrainControllerResponse;
using controller::v1::GetCallRequest;
using controller::v1::GetCallResponse;
using controller::v1::GetStatisticsRequest;
using controller::v1::GetStatisticsResponse;
using controller::v1::HangUpCallRequest;
using controller::v1::HangUpCallResponse;
using controller::v1::ListAccountsRequest;
using controller::v1::ListAccountsResponse;
using controller::v1::ListBindingsRequest;
using controller::v1::ListBindingsResponse;
using controller::v1::ListCallRecordsRequest;
using controller::v1::ListCallRecordsResponse;
using controller::v1::ListCallsRequest;
using controller::v1::ListCallsResponse;
using controller::v1::ListRelaysRequest;
using controller::v1::ListRelaysResponse;
using controller::v1::ListTrunksRequest;
using controller::v1::ListTrunksResponse;
using controller::v1::UndrainControllerRequest;
using controller::v1::UndrainControllerResponse;
using controller::v1::UpdateAccountRequest;
using controller::v1::UpdateAccountResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using process::ToGrpcStatus;

namespace {

// For answers that are there at once.
ServerUnaryReactor* Finish(CallbackServerContext* context, const absl::Status& status = absl::OkStatus()) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

absl::Status TooManyWait() {
  return absl::ResourceExhaustedError(
      absl::StrCat("more than ", StoreWorker::kMaxWaiting, " requests wait for the disk; try again later"));
}

}  // namespace

ControllerService::ControllerService(agent::CallControl& calls, store::Store& store, fleet::Fleet& fleet,
                                     std::string realm)
    : calls_(calls), store_(store), fleet_(fleet), realm_(std::move(realm)) {}

ServerUnaryReactor* ControllerService::ListCalls(CallbackServerContext* context, const ListCallsRequest* request,
                                                 ListCallsResponse* response) {
  const absl::StatusOr<size_t> page_size = PageSize(request->page_size());
  if (!page_size.ok()) return Finish(context, page_size.status());
  ServerUnaryReactor* reactor = context->DefaultReactor();
  calls_.ListCalls(*page_size, request->page_token(), [reactor, response](absl::StatusOr<agent::CallPage> page) {
    if (page.ok()) {
      for (const agent::CallSummary& call : page->calls) *response->add_calls() = ToProto(call);
      response->set_next_page_token(page->next_token);
    }
    reactor->Finish(ToGrpcStatus(page.status()));
  });
  return reactor;
}

ServerUnaryReactor* ControllerService::GetCall(CallbackServerContext* context, const GetCallRequest* request,
                                               GetCallResponse* response) {
  if (absl::Status status = CheckId("call_id", request->call_id()); !status.ok()) return Finish(context, status);
  ServerUnaryReactor* reactor = context->DefaultReactor();
  calls_.GetCall(request->call_id(), request->include_messages(),
                 [this, reactor, response](absl::StatusOr<agent::CallDetails> details) {
                   if (!details.ok()) {
                     reactor->Finish(ToGrpcStatus(details.status()));
                     return;
                   }
                   *response->mutable_call() = ToProto(details->call);
                   for (const agent::LadderEntry& entry : details->ladder) *response->add_ladder() = ToProto(entry);
                   for (const store::LegRecord& leg : details->legs) {
                     *response->add_legs() = ToProto(leg, details->call.call_id);
                   }
                   if (details->media != nullptr) *response->mutable_media() = *details->media;
                   const bool live = details->call.state != agent::CallState::kEnded && !details->call.relay.empty();
                   if (details->media != nullptr || !live) {
                     reactor->Finish(grpc::Status::OK);
                     return;
                   }
                   // A relay that does not answer costs the statistics, not the answer.
                   fleet_.GetSession(details->call.call_id,
                                     [reactor, response](absl::StatusOr<relay::v1::SessionState> state) {
                                       if (state.ok()) *response->mutable_media() = *std::move(state);
                                       reactor->Finish(grpc::Status::OK);
                                     });
                 });
  return reactor;
}

ServerUnaryReactor* ControllerService::HangUpCall(CallbackServerContext* context, const HangUpCallRequest* request,
                                                  HangUpCallResponse*) {
  if (absl::Status status = CheckId("call_id", request->call_id()); !status.ok()) return Finish(context, status);
  ServerUnaryReactor* reactor = context->DefaultReactor();
  calls_.HangUpCall(request->call_id(),
                    [reactor](const absl::Status& status) { reactor->Finish(ToGrpcStatus(status)); });
  return reactor;
}

ServerUnaryReactor* ControllerService::ListBindings(CallbackServerContext* context, const ListBindingsRequest* request,
                                                    ListBindingsResponse* response) {
  const absl::StatusOr<size_t> page_size = PageSize(request->page_size());
  if (!page_size.ok()) return Finish(context, page_size.status());
  if (!request->account().empty() && store_.FindAccount(request->account()) == nullptr) {
    return Finish(context, absl::NotFoundError(absl::StrCat("account: there is no account ", request->account())));
  }
  const store::Page<store::AccountBindings> page =
      store_.ListBindings(request->account(), *page_size, request->page_token());
  for (const store::AccountBindings& binding : page.items) *response->add_bindings() = ToProto(binding);
  response->set_next_page_token(page.next_token);
  return Finish(context);
}

ServerUnaryReactor* ControllerService::CreateAccount(CallbackServerContext* context,
                                                     const CreateAccountRequest* request,
                                                     CreateAccountResponse* response) {
  absl::StatusOr<AccountWithPassword> made = MakeAccount(*request, realm_, absl::Now());
  if (!made.ok()) return Finish(context, made.status());
  ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool posted = store_worker_.Post([this, reactor, response, made = *std::move(made)] {
    const absl::Status status = store_.CreateAccount(made.account);
    if (status.ok()) {
      *response->mutable_account() = ToProto(made.account);
      response->set_password(made.password);
    }
    reactor->Finish(ToGrpcStatus(status));
  });
  if (!posted) reactor->Finish(ToGrpcStatus(TooManyWait()));
  return reactor;
}

ServerUnaryReactor* ControllerService::ListAccounts(CallbackServerContext* context, const ListAccountsRequest* request,
                                                    ListAccountsResponse* response) {
  const absl::StatusOr<size_t> page_size = PageSize(request->page_size());
  if (!page_size.ok()) return Finish(context, page_size.status());
  const store::Page<std::shared_ptr<const store::Account>> page =
      store_.ListAccounts(*page_size, request->page_token());
  for (const std::shared_ptr<const store::Account>& account : page.items) {
    *response->add_accounts() = ToProto(*account);
  }
  response->set_next_page_token(page.next_token);
  return Finish(context);
}

ServerUnaryReactor* ControllerService::UpdateAccount(CallbackServerContext* context,
                                                     const UpdateAccountRequest* request,
                                                     UpdateAccountResponse* response) {
  if (absl::Status status = CheckId("account.name", request->account().name()); !status.ok()) {
    return Finish(context, status);
  }
  ServerUnaryReactor* reactor = context->DefaultReactor();
  // All changes of accounts are made on this one thread, so nothing comes between the look and the write.
  const bool posted = store_worker_.Post([this, reactor, request, response] {
    const std::shared_ptr<const store::Account> known = store_.FindAccount(request->account().name());
    if (known == nullptr) {
      reactor->Finish(ToGrpcStatus(
          absl::NotFoundError(absl::StrCat("account.name: there is no account ", request->account().name()))));
      return;
    }
    const absl::StatusOr<AccountWithPassword> changed = ChangeAccount(*request, *known, realm_);
    absl::Status status = changed.status();
    if (status.ok()) status = store_.UpdateAccount(changed->account);
    if (status.ok()) {
      *response->mutable_account() = ToProto(changed->account);
      response->set_password(changed->password);
    }
    reactor->Finish(ToGrpcStatus(status));
  });
  if (!posted) reactor->Finish(ToGrpcStatus(TooManyWait()));
  return reactor;
}

ServerUnaryReactor* ControllerService::DeleteAccount(CallbackServerContext* context,
                                                     const DeleteAccountRequest* request, DeleteAccountResponse*) {
  if (absl::Status status = CheckId("name", request->name()); !status.ok()) return Finish(context, status);
  ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool posted = store_worker_.Post(
      [this, reactor, name = request->name()] { reactor->Finish(ToGrpcStatus(store_.DeleteAccount(name))); });
  if (!posted) reactor->Finish(ToGrpcStatus(TooManyWait()));
  return reactor;
}

ServerUnaryReactor* ControllerService::ListCallRecords(CallbackServerContext* context,
                                                       const ListCallRecordsRequest* request,
                                                       ListCallRecordsResponse* response) {
  const absl::StatusOr<size_t> page_size = PageSize(request->page_size());
  if (!page_size.ok()) return Finish(context, page_size.status());
  store::CallRecordQuery query;
  query.page_size = *page_size;
  query.token = request->page_token();
  query.account = request->account();
  if (request->has_start_time_from()) {
    const absl::StatusOr<absl::Time> from = TimeOf("start_time_from", request->start_time_from());
    if (!from.ok()) return Finish(context, from.status());
    query.from = *from;
  }
  if (request->has_start_time_to()) {
    const absl::StatusOr<absl::Time> to = TimeOf("start_time_to", request->start_time_to());
    if (!to.ok()) return Finish(context, to.status());
    query.to = *to;
  }
  if (query.to < query.from) {
    return Finish(context, absl::InvalidArgumentError("start_time_to: is before start_time_from"));
  }
  ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool posted = store_worker_.Post([this, reactor, response, query = std::move(query)] {
    const absl::StatusOr<store::Page<store::CallRecord>> page = store_.ListCallRecords(query);
    if (page.ok()) {
      for (const store::CallRecord& record : page->items) *response->add_records() = ToProto(record);
      response->set_next_page_token(page->next_token);
    }
    reactor->Finish(ToGrpcStatus(page.status()));
  });
  if (!posted) reactor->Finish(ToGrpcStatus(TooManyWait()));
  return reactor;
}

ServerUnaryReactor* ControllerService::ListRelays(CallbackServerContext* context, const ListRelaysRequest*,
                                                  ListRelaysResponse* response) {
  for (const fleet::RelayInfo& relay : fleet_.ListRelays()) *response->add_relays() = ToProto(relay);
  return Finish(context);
}

ServerUnaryReactor* ControllerService::ListTrunks(CallbackServerContext* context, const ListTrunksRequest*,
                                                  ListTrunksResponse* response) {
  for (const agent::TrunkSummary& trunk : calls_.Statistics().trunks) *response->add_trunks() = ToProto(trunk);
  return Finish(context);
}

ServerUnaryReactor* ControllerService::GetStatistics(CallbackServerContext* context, const GetStatisticsRequest*,
                                                     GetStatisticsResponse* response) {
  *response = ToProto(calls_.Statistics(), store_.Statistics().bindings);
  return Finish(context);
}

ServerUnaryReactor* ControllerService::DrainController(CallbackServerContext* context,
                                                       const DrainControllerRequest* /*request*/,
                                                       DrainControllerResponse* /*response*/) {
  calls_.SetDraining(true);
  return Finish(context);
}

ServerUnaryReactor* ControllerService::UndrainController(CallbackServerContext* context,
                                                         const UndrainControllerRequest* /*request*/,
                                                         UndrainControllerResponse* /*response*/) {
  calls_.SetDraining(false);
  return Finish(context);
}

}  // namespace sluice::service
