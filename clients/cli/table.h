// Table: rows of text under headings, as wide as the terminal at most.
//
//   Table table({"MODEL", "STATE"});
//   table.Add({"mnist", "published"});
//   std::cout << table.ToText(TerminalWidth());
#ifndef TANDEM_CLIENTS_CLI_TABLE_H_
#define TANDEM_CLIENTS_CLI_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace tandem::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}

  // As many cells as there are headings. Line breaks and control characters in them become spaces.
  void Add(std::vector<std::string> cells);
  // Columns are shortened, the widest first, until a row fits into `width` characters; 0: no limit.
  std::string ToText(size_t width) const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the headings first
};

// Characters in a row of the terminal that standard output goes to; 0 when it is none.
size_t TerminalWidth();

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_TABLE_H_
