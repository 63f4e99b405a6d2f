#include "server/rpc/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tandem::rpc {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Time kNow{};

struct Written {
  std::vector<std::string> lines;
  std::vector<bool> slow;
  RequestLog::Sink sink() {
    return [this](bool is_slow, const std::string& line) {
      lines.push_back(line);
      slow.push_back(is_slow);
    };
  }
};

RequestEntry Entry(Duration total) {
  return {.model = "m",
          .version = "3",
          .variant = "int8",
          .id = "a b\n\"",
          .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
          .rows = 2,
          .bytes = 512,
          .receive = microseconds(100),
          .queue = milliseconds(20),
          .gather = microseconds(5),
          .compute = milliseconds(3),
          .reply = microseconds(10),
          .total = total};
}

TEST(RequestLog, SlowRequestsAreWantedAndWrittenWithTheirTimes) {
  Written written;
  RequestLog log({.slow = milliseconds(20)}, written.sink());
  EXPECT_FALSE(log.Wants(milliseconds(19)));
  ASSERT_TRUE(log.Wants(milliseconds(20)));
  log.Write(Entry(milliseconds(25)), kNow);
  EXPECT_THAT(written.lines,
              ElementsAre("slow request model=m version=3 variant=int8 id=\"a b\\n\\\"\" "
                          "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 code=OK rows=2 bytes=512 total_ms=25.000 "
                          "receive_ms=0.100 queue_ms=20.000 gather_ms=0.005 compute_ms=3.000 reply_ms=0.010"));
  EXPECT_THAT(written.slow, ElementsAre(true));
}

TEST(RequestLog, NothingIsWantedByDefault) {
  const RequestLog log({}, nullptr);
  EXPECT_FALSE(log.Wants(std::chrono::hours(1)));
  EXPECT_FALSE(log.WantsAll());
}

TEST(RequestLog, JsonIsWellFormedWhateverClientsSend) {
  Written written;
  RequestLog log({.access = true, .json = true}, written.sink());
  ASSERT_TRUE(log.Wants(Duration{0}));
  RequestEntry entry = Entry(milliseconds(1));
  entry.id = "\xff\"},{";
  entry.status = absl::NotFoundError("there is no \"m\"");
  log.Write(entry, kNow);
  ASSERT_THAT(written.lines, SizeIs(1));
  const nlohmann::json line = nlohmann::json::parse("{" + written.lines[0] + "}");
  EXPECT_EQ(line["message"], "request");
  EXPECT_EQ(line["code"], "NOT_FOUND");
  EXPECT_EQ(line["error"], "there is no \"m\"");
  EXPECT_EQ(line["queue_ms"], 20);
  EXPECT_THAT(written.slow, ElementsAre(false));
}

TEST(RequestLog, LongValuesAreCut) {
  Written written;
  RequestLog log({.access = true}, written.sink());
  RequestEntry entry = Entry(milliseconds(1));
  entry.id = std::string(100000, 'x');
  log.Write(entry, kNow);
  EXPECT_LT(written.lines[0].size(), 1000u);
}

TEST(RequestLog, LinesASecondAreBoundedAndTheRestIsCounted) {
  Written written;
  RequestLog log({.slow = milliseconds(1), .most_slow = 2}, written.sink());
  for (int i = 0; i < 5; ++i) log.Write(Entry(milliseconds(25)), kNow + milliseconds(i));
  EXPECT_THAT(written.lines, SizeIs(2));
  log.Write(Entry(milliseconds(25)), kNow + std::chrono::seconds(1));
  ASSERT_THAT(written.lines, SizeIs(3));
  EXPECT_THAT(written.lines[2], EndsWith("left_out=3"));
  log.Write(Entry(milliseconds(25)), kNow + std::chrono::seconds(1));
  EXPECT_THAT(written.lines[3], Not(HasSubstr("left_out")));
}

// The forms of the specification, and what it tells to ignore.
TEST(TraceIdOf, ReadsWhatIsWellFormed) {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736", parent = "00f067aa0ba902b7";
  EXPECT_EQ(TraceIdOf("00-" + id + "-" + parent + "-01"), id);
  EXPECT_EQ(TraceIdOf("cc-" + id + "-" + parent + "-01-more"), id);
  for (const std::string& bad :
       {std::string(), "00-" + id + "-" + parent, "00-" + id + "-" + parent + "-01-more",
        "cc-" + id + "-" + parent + "-01x", "ff-" + id + "-" + parent + "-01",
        "00-" + std::string(32, '0') + "-" + parent + "-01", "00-" + id + "-" + std::string(16, '0') + "-01",
        "00-" + std::string(32, 'A') + "-" + parent + "-01", "00_" + id + "-" + parent + "-01"}) {
    EXPECT_EQ(TraceIdOf(bad), "") << bad;
  }
}

}  // namespace
}  // namespace tandem::rpc
