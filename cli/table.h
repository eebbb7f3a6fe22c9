// Rows under titles, in columns that are as wide as their widest cell.
//
//   NAME     SESSIONS  HEALTH
//   relay-1        12  healthy
//
// Cells are made printable (text.h); widths are those of a terminal, so UTF-8 names keep the columns.
#ifndef SLUICE_CLI_TABLE_H_
#define SLUICE_CLI_TABLE_H_

#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice::cli {

class Table {
 public:
  // A title that begins with '>' stands, with its column, at the right: for numbers.
  explicit Table(std::initializer_list<absl::string_view> titles);

  // As many cells as there are titles.
  void AddRow(std::vector<std::string> cells);
  size_t size() const { return rows_.size(); }

  // Nothing stands after the last cell of a line. With no rows: the line `nothing`.
  void Print(std::ostream& out, absl::string_view nothing = "none") const;

 private:
  std::vector<std::string> titles_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// Names with one value each, aligned.
void PrintPairs(std::ostream& out, const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TABLE_H_
