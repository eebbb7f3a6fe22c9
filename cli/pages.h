// Reads a paged list to its end, or to `limit` items.
#ifndef SLUICE_CLI_PAGES_H_
#define SLUICE_CLI_PAGES_H_

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "cli/invocation.h"

namespace sluice::cli {

// `read(request, response)` reads one page; `items(response)` is its mutable repeated field. All items end up in
// `all`, whose page token is empty then.
template <typename Request, typename Response, typename Read, typename Items>
absl::Status ReadPages(Request request, uint64_t limit, Response& all, Read read, Items items) {
  constexpr uint64_t kPageSize = 1000;
  while (true) {
    const uint64_t left = limit - static_cast<uint64_t>(items(all)->size());
    request.set_page_size(static_cast<int32_t>(std::min(left, kPageSize)));
    Response page;
    if (absl::Status status = read(request, page); !status.ok()) return status;
    items(all)->MergeFrom(*items(page));
    if (page.next_page_token().empty() || static_cast<uint64_t>(items(all)->size()) >= limit) return absl::OkStatus();
    request.set_page_token(page.next_page_token());
  }
}

// What --limit means in all lists, and its default.
constexpr uint64_t kDefaultLimit = 1000;
constexpr uint64_t kMaxLimit = 1000000;

}  // namespace sluice::cli

#endif  // SLUICE_CLI_PAGES_H_
