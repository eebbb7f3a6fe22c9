#include "cli/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/text.h"

namespace sluice::cli {

Table::Table(std::initializer_list<absl::string_view> titles) {
  for (absl::string_view title : titles) {
    right_.push_back(absl::ConsumePrefix(&title, ">"));
    titles_.emplace_back(title);
  }
}

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  cells.resize(titles_.size());
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out, absl::string_view nothing) const {
  if (rows_.empty()) {
    out << nothing << "\n";
    return;
  }
  std::vector<size_t> widths;
  for (size_t column = 0; column < titles_.size(); ++column) {
    size_t width = DisplayWidth(titles_[column]);
    for (const std::vector<std::string>& row : rows_) width = std::max(width, DisplayWidth(row[column]));
    widths.push_back(width);
  }
  const auto print = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t column = 0; column < cells.size(); ++column) {
      absl::StrAppend(
          &line, column == 0 ? "" : "  ",
          right_[column] ? PadLeft(cells[column], widths[column]) : PadRight(cells[column], widths[column]));
    }
    out << absl::StripTrailingAsciiWhitespace(line) << "\n";
  };
  print(titles_);
  for (const std::vector<std::string>& row : rows_) print(row);
}

void PrintPairs(std::ostream& out, const std::vector<std::pair<std::string, std::string>>& pairs) {
  size_t width = 0;
  for (const auto& [name, value] : pairs) width = std::max(width, DisplayWidth(name));
  for (const auto& [name, value] : pairs) out << PadRight(name, width) << "  " << Printable(value) << "\n";
}

}  // namespace sluice::cli
