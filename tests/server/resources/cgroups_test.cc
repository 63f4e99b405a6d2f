// Against folders made to look like /proc and /sys/fs/cgroup of real machines.
#include "server/resources/cgroups.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/resources/resources.h"

namespace tandem::resources {
namespace {

namespace fs = std::filesystem;

class CgroupsTest : public ::testing::Test {
 protected:
  CgroupsTest()
      : root_(fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
  }
  ~CgroupsTest() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const fs::path file = root_.string() + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  // Version 2: the process is in `group` of what is mounted.
  void Unified(const std::string& group, const std::string& shows = "/") {
    Write("/proc/self/cgroup", "0::" + group + "\n");
    Write("/proc/self/mountinfo",
          "21 26 0:19 / /sys rw,nosuid - sysfs sysfs rw\n"
          "29 21 0:26 " +
              shows + " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void Version1() {
    Write("/proc/self/cgroup",
          "12:memory:/kubepods/pod1/c1\n5:cpu,cpuacct:/kubepods/pod1/c1\n1:name=systemd:/kubepods/pod1/c1\n");
    Write("/proc/self/mountinfo",
          "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
          "34 25 0:30 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory\n");
  }
  Cgroups Read() const { return Cgroups(root_.string()); }

  const fs::path root_;
};

TEST_F(CgroupsTest, NothingIsNoLimit) {
  EXPECT_EQ(Read().CpuQuota(), std::nullopt);
  EXPECT_EQ(Read().MemoryLimit(), std::nullopt);
}

TEST_F(CgroupsTest, Version2TakesTheSmallestOfAllAround) {
  Unified("/system.slice/tandem.service");
  Write("/sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n");
  Write("/sys/fs/cgroup/system.slice/tandem.service/cpu.max", "400000 100000\n");
  Write("/sys/fs/cgroup/system.slice/memory.max", "max\n");
  Write("/sys/fs/cgroup/system.slice/tandem.service/memory.max", "1073741824\n");
  EXPECT_EQ(Read().CpuQuota(), 1.5);
  EXPECT_EQ(Read().MemoryLimit(), 1 << 30);
}

TEST_F(CgroupsTest, Version2WithoutLimits) {
  Unified("/a");
  Write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  Write("/sys/fs/cgroup/a/memory.max", "max\n");
  EXPECT_EQ(Read().CpuQuota(), std::nullopt);
  EXPECT_EQ(Read().MemoryLimit(), std::nullopt);
}

TEST_F(CgroupsTest, LimitsAreReadAnew) {
  Unified("/a");
  Write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  const Cgroups groups = Read();
  EXPECT_EQ(groups.CpuQuota(), 2);
  Write("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(groups.CpuQuota(), 0.5);
}

TEST_F(CgroupsTest, AContainerSeesItsOwnGroupAtTheTop) {
  Unified("/");
  Write("/sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_EQ(Read().CpuQuota(), 2.5);
}

TEST_F(CgroupsTest, AMountThatShowsPartOfTheTreeIsFollowedFromThere) {
  Unified("/kubepods/pod1/c1", "/kubepods/pod1");
  Write("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  Write("/sys/fs/cgroup/c1/cpu.max", "100000 100000\n");
  EXPECT_EQ(Read().CpuQuota(), 1);
}

TEST_F(CgroupsTest, AGroupOutsideOfTheMountMeansTheMountItself) {
  Unified("/../../elsewhere");
  Write("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(Read().CpuQuota(), 1);
}

TEST_F(CgroupsTest, Version1TakesTheSmallestOfAllAround) {
  Version1();
  Write("/sys/fs/cgroup/cpu,cpuacct/kubepods/cpu.cfs_quota_us", "-1\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/kubepods/cpu.cfs_period_us", "100000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/kubepods/pod1/cpu.cfs_quota_us", "350000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/kubepods/pod1/cpu.cfs_period_us", "100000\n");
  Write("/sys/fs/cgroup/memory/kubepods/pod1/c1/memory.limit_in_bytes", "536870912\n");
  Write("/sys/fs/cgroup/memory/kubepods/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Read().CpuQuota(), 3.5);
  EXPECT_EQ(Read().MemoryLimit(), 512 << 20);
}

TEST_F(CgroupsTest, GarbageIsNoLimit) {
  Unified("/a");
  Write("/sys/fs/cgroup/a/cpu.max", "\xff 1 2 3\n");
  Write("/sys/fs/cgroup/a/memory.max", "-5\n");
  EXPECT_EQ(Read().CpuQuota(), std::nullopt);
  EXPECT_EQ(Read().MemoryLimit(), std::nullopt);
  Write("/proc/self/mountinfo", " - \n - cgroup2\n1 2 3 - cgroup2 a b\n");
  EXPECT_EQ(Read().CpuQuota(), std::nullopt);
}

TEST(CoreBudgetTest, FollowsTheQuotaWithinTheCores) {
  EXPECT_EQ(CoreBudget(8, std::nullopt), 8);
  EXPECT_EQ(CoreBudget(8, 2.0), 2);
  EXPECT_EQ(CoreBudget(8, 2.001), 2);
  EXPECT_EQ(CoreBudget(8, 1.5), 2);
  EXPECT_EQ(CoreBudget(8, 0.2), 1);
  EXPECT_EQ(CoreBudget(2, 16.0), 2);
}

}  // namespace
}  // namespace tandem::resources
