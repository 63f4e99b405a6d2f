#include "server/state/store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/check.h"
#include "engine/status.h"

namespace tandem::state {
namespace {

constexpr int kFormat = 2;
// Somebody may be looking at the file with another program.
constexpr int kBusyMilliseconds = 5000;
constexpr int64_t kMostEvents = 1000;  // of one answer

constexpr char kSchema[] = R"(
  CREATE TABLE route (model TEXT PRIMARY KEY, mode TEXT NOT NULL, int8_weight REAL NOT NULL, shadow_rate REAL NOT NULL,
                      who TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE rejected (model TEXT, version INTEGER, PRIMARY KEY (model, version)) WITHOUT ROWID;
  CREATE TABLE unloaded (model TEXT PRIMARY KEY) STRICT;
  CREATE TABLE blob (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, version INTEGER NOT NULL,
                      kind TEXT NOT NULL, detail TEXT NOT NULL,
                      who TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX event_by_model ON event (model, id);
)";

// What format 2 has beside format 1.
constexpr char kCandidates[] = R"(
  ALTER TABLE route ADD COLUMN candidate_version INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE route ADD COLUMN candidate_weight REAL NOT NULL DEFAULT 0;
)";

absl::StatusCode CodeOf(int error) {
  switch (error & 0xff) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

// The columns who, why and at_ms, from `first` on.
Author ReadAuthor(const SQLite::Statement& row, int first) {
  return {row.getColumn(first).getString(), row.getColumn(first + 1).getString(),
          absl::FromUnixMillis(row.getColumn(first + 2).getInt64())};
}

void BindAuthor(SQLite::Statement& statement, int first, const Author& author) {
  statement.bind(first, author.who);
  statement.bind(first + 1, author.why);
  statement.bind(first + 2, static_cast<int64_t>(absl::ToUnixMillis(author.when)));
}

void BindBlob(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bind(index, static_cast<const void*>(value.data()), static_cast<int>(value.size()));
}

void Remove(SQLite::Database& database, const char* sql, const std::string& key) {
  SQLite::Statement statement(database, sql);
  statement.bind(1, key);
  statement.exec();
}

void WriteRoute(SQLite::Database& database, const std::string& model, const std::optional<RouteOverride>& route) {
  if (!route.has_value()) return Remove(database, "DELETE FROM route WHERE model = ?", model);
  SQLite::Statement statement(database, "INSERT OR REPLACE INTO route VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bind(1, model);
  statement.bind(2, route->route.mode);
  statement.bind(3, route->route.int8_weight);
  statement.bind(4, route->route.shadow_rate);
  BindAuthor(statement, 5, route->author);
  statement.bind(8, route->route.candidate_version);
  statement.bind(9, route->route.candidate_weight);
  statement.exec();
}

void WriteRejected(SQLite::Database& database, const std::string& model, const std::set<int64_t>& versions) {
  Remove(database, "DELETE FROM rejected WHERE model = ?", model);
  for (const int64_t version : versions) {
    SQLite::Statement statement(database, "INSERT INTO rejected VALUES (?, ?)");
    statement.bind(1, model);
    statement.bind(2, version);
    statement.exec();
  }
}

void WriteUnloaded(SQLite::Database& database, const std::string& model, bool unloaded) {
  Remove(database, unloaded ? "INSERT OR REPLACE INTO unloaded VALUES (?)" : "DELETE FROM unloaded WHERE model = ?",
         model);
}

void WriteBlob(SQLite::Database& database, const std::string& key, const std::optional<std::string>& value) {
  if (!value.has_value()) return Remove(database, "DELETE FROM blob WHERE key = ?", key);
  SQLite::Statement statement(database, "INSERT OR REPLACE INTO blob VALUES (?, ?)");
  statement.bind(1, key);
  BindBlob(statement, 2, *value);
  statement.exec();
}

void WriteEvent(SQLite::Database& database, const Event& event) {
  SQLite::Statement statement(database,
                              "INSERT INTO event (model, version, kind, detail, who, why, at_ms) "
                              "VALUES (?, ?, ?, ?, ?, ?, ?)");
  statement.bind(1, event.model);
  statement.bind(2, event.version);
  statement.bind(3, event.kind);
  statement.bind(4, event.detail);
  BindAuthor(statement, 5, event.author);
  statement.exec();
}

void ForgetOldEvents(SQLite::Database& database, int64_t keep) {
  SQLite::Statement statement(database, "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?");
  statement.bind(1, keep);
  statement.exec();
}

// Settings of a connection, and the tables of a new file or what an older one lacks.
absl::Status Prepare(SQLite::Database& database) {
  const int format = database.execAndGet("PRAGMA user_version").getInt();
  if (format > kFormat) {
    return absl::FailedPreconditionError(absl::StrCat("it has format ", format,
                                                      ", which a newer Tandem wrote; this one knows format ", kFormat,
                                                      ": run the newer one, or name another --state-dir"));
  }
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  if (format == kFormat) return absl::OkStatus();
  SQLite::Transaction transaction(database);
  if (format < 1) database.exec(kSchema);
  database.exec(kCandidates);
  database.exec(absl::StrCat("PRAGMA user_version = ", kFormat));
  transaction.commit();
  return absl::OkStatus();
}

}  // namespace

template <typename Body>
auto StateStore::With(Body body) const {
  using Result = decltype(body(std::declval<SQLite::Database&>()));
  MutexLock lock(mutex_);
  try {
    return body(*database_);
  } catch (const SQLite::Exception& error) {
    return Result(absl::Status(CodeOf(error.getErrorCode()), absl::StrCat(file_, ": ", error.what())));
  }
}

StateStore::StateStore(std::unique_ptr<DirectoryLock> lock, std::string why_not_durable, std::string file,
                       StoreOptions options)
    : lock_(std::move(lock)), why_not_durable_(std::move(why_not_durable)), file_(std::move(file)), options_(options) {}

StateStore::~StateStore() = default;

absl::StatusOr<std::unique_ptr<StateStore>> StateStore::Open(const std::string& folder, StoreOptions options) {
  if (folder.empty()) return absl::UnavailableError("there is no folder for it: name one with --state-dir");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot create ", folder, ": ", error.message()));
  TANDEM_ASSIGN_OR_RETURN(std::unique_ptr<DirectoryLock> lock, DirectoryLock::Take(folder));
  std::unique_ptr<StateStore> store(new StateStore(std::move(lock), "", absl::StrCat(folder, "/state.db"), options));
  TANDEM_RETURN_IF_ERROR(store->OpenFile());
  return store;
}

std::unique_ptr<StateStore> StateStore::InMemory(const std::string& why, StoreOptions options) {
  std::unique_ptr<StateStore> store(new StateStore(nullptr, why, ":memory:", options));
  const absl::Status opened = store->OpenFile();
  TANDEM_CHECK(opened.ok(), opened.ToString());
  return store;
}

absl::Status StateStore::OpenFile() {
  {
    MutexLock lock(mutex_);
    try {
      database_ =
          std::make_unique<SQLite::Database>(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMilliseconds);
    } catch (const SQLite::Exception& error) {
      return absl::Status(CodeOf(error.getErrorCode()), absl::StrCat(file_, ": ", error.what()));
    }
  }
  return With([this](SQLite::Database& database) { return engine::WithContext(Prepare(database), file_); });
}

absl::Status StateStore::Durable() const {
  if (why_not_durable_.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("this server keeps no state: ", why_not_durable_));
}

absl::Status StateStore::Write(const Changes& changes) {
  return With([&](SQLite::Database& database) {
    SQLite::Transaction transaction(database);
    for (const auto& [model, route] : changes.routes) WriteRoute(database, model, route);
    for (const auto& [model, versions] : changes.rejected) WriteRejected(database, model, versions);
    for (const auto& [model, unloaded] : changes.unloaded) WriteUnloaded(database, model, unloaded);
    for (const auto& [key, value] : changes.blobs) WriteBlob(database, key, value);
    for (const Event& event : changes.events) WriteEvent(database, event);
    if (!changes.events.empty()) ForgetOldEvents(database, options_.max_events);
    transaction.commit();
    return absl::OkStatus();
  });
}

absl::StatusOr<std::map<std::string, RouteOverride>> StateStore::Routes() const {
  return With([](SQLite::Database& database) -> absl::StatusOr<std::map<std::string, RouteOverride>> {
    std::map<std::string, RouteOverride> routes;
    SQLite::Statement row(database,
                          "SELECT model, mode, int8_weight, shadow_rate, who, why, at_ms, candidate_version, "
                          "candidate_weight FROM route");
    while (row.executeStep()) {
      routes[row.getColumn(0)] = {.route = {.mode = row.getColumn(1),
                                            .int8_weight = row.getColumn(2),
                                            .shadow_rate = row.getColumn(3),
                                            .candidate_version = row.getColumn(7),
                                            .candidate_weight = row.getColumn(8)},
                                  .author = ReadAuthor(row, 4)};
    }
    return routes;
  });
}

absl::StatusOr<std::map<std::string, std::set<int64_t>>> StateStore::Rejected() const {
  return With([](SQLite::Database& database) -> absl::StatusOr<std::map<std::string, std::set<int64_t>>> {
    std::map<std::string, std::set<int64_t>> rejected;
    SQLite::Statement row(database, "SELECT model, version FROM rejected");
    while (row.executeStep()) rejected[row.getColumn(0)].insert(row.getColumn(1).getInt64());
    return rejected;
  });
}

absl::StatusOr<std::set<std::string>> StateStore::Unloaded() const {
  return With([](SQLite::Database& database) -> absl::StatusOr<std::set<std::string>> {
    std::set<std::string> models;
    SQLite::Statement row(database, "SELECT model FROM unloaded");
    while (row.executeStep()) models.insert(row.getColumn(0));
    return models;
  });
}

absl::StatusOr<std::optional<std::string>> StateStore::Blob(const std::string& key) const {
  return With([&](SQLite::Database& database) -> absl::StatusOr<std::optional<std::string>> {
    SQLite::Statement row(database, "SELECT value FROM blob WHERE key = ?");
    row.bind(1, key);
    if (!row.executeStep()) return std::optional<std::string>();
    return std::optional<std::string>(row.getColumn(0).getString());
  });
}

absl::StatusOr<std::map<std::string, std::string>> StateStore::Blobs(const std::string& prefix) const {
  return With([&](SQLite::Database& database) -> absl::StatusOr<std::map<std::string, std::string>> {
    std::map<std::string, std::string> blobs;
    SQLite::Statement row(database, "SELECT key, value FROM blob WHERE substr(key, 1, length(?1)) = ?1");
    row.bind(1, prefix);
    while (row.executeStep()) blobs[row.getColumn(0)] = row.getColumn(1).getString();
    return blobs;
  });
}

absl::StatusOr<std::vector<Event>> StateStore::History(const EventFilter& filter) const {
  return With([&](SQLite::Database& database) -> absl::StatusOr<std::vector<Event>> {
    std::vector<Event> events;
    SQLite::Statement row(database,
                          "SELECT id, model, version, kind, detail, who, why, at_ms FROM event "
                          "WHERE (?1 = '' OR model = ?1) AND (?2 = '' OR kind = ?2) AND (?3 = 0 OR id < ?3) "
                          "ORDER BY id DESC LIMIT ?4");
    row.bind(1, filter.model);
    row.bind(2, filter.kind);
    row.bind(3, filter.before_id);
    row.bind(4, std::clamp<int64_t>(filter.limit, 0, kMostEvents));
    while (row.executeStep()) {
      events.push_back({.id = row.getColumn(0).getInt64(),
                        .model = row.getColumn(1),
                        .version = row.getColumn(2).getInt64(),
                        .kind = row.getColumn(3),
                        .author = ReadAuthor(row, 5),
                        .detail = row.getColumn(4)});
    }
    return events;
  });
}

}  // namespace tandem::state
