// Which files open, and through which links. Contract: loaders/open_file.h, loaders/source.h.
#include "loaders/open_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "loaders/load.h"
#include "loaders/source.h"
#include "runtime/base/mapping.h"

namespace tern::test::in_open_file {
namespace {

namespace fs = std::filesystem;

// A folder of its own.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("tern_open_" + std::to_string(::getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
  void link(const std::string& target, const std::string& name) const {
    fs::create_directories((path / name).parent_path());
    fs::create_symlink(target, path / name);
  }
};

std::string text(const Result<Source>& s) {
  if (!s) return s.error().message();
  return {reinterpret_cast<const char*>(s->bytes.data()), s->bytes.size()};
}
bool says(const Result<OpenFile>& f, std::string_view part) { return !f && f.error().message().find(part) != std::string::npos; }

// How a model's folder in a hub's cache looks: hub/blobs/<hash>, hub/snapshots/<revision>/<file> -> ../../blobs/<hash>.
struct Hub : Folder {
  std::string snapshot = (path / "hub/snapshots/rev").string();
  Hub() {
    write("hub/blobs/abc", "shard");
    write("outside", "secret");
    link("../../blobs/abc", "hub/snapshots/rev/a.bin");
  }
};

}  // namespace

TEST_CASE("source: what becomes of a file that was copied changes nothing") {
  Folder f;
  std::string whole(100'000, '\0');
  for (size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<char>(i * 7 % 251);
  const std::string path = f.write("x", whole);
  auto source = map_file(path);
  REQUIRE(source.ok());
  CHECK(is_mapped(source->owner));
  f.write("x", std::string(100'000, 'y'));  // truncates first
  CHECK(text(source) == whole);
  retire(source->owner, source->bytes);
  fs::remove(path);
  CHECK(text(source) == whole);
  CHECK(std::all_of(source->bytes.data() + whole.size(), source->bytes.data() + whole.size() + 64, [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("source: the copy of a ZIP file aligns the first large member that is stored") {
  Folder f;
  const auto le = [](size_t n, int bytes) {
    std::string s;
    for (int i = 0; i < bytes; ++i) s += static_cast<char>(n >> (8 * i));
    return s;
  };
  const auto local = [&](const std::string& name, int method, size_t bytes) {
    return "PK\x03\x04" + le(20, 2) + le(0, 2) + le(static_cast<size_t>(method), 2) + le(0, 4) + le(0, 4) + le(bytes, 4) + le(bytes, 4) +
           le(name.size(), 2) + le(3, 2) + name + "abc";
  };
  for (size_t before : {0, 1, 29, 63}) {
    CAPTURE(before);
    std::string whole = local("config", 0, before) + std::string(before, 'c') + local("packed", 8, 300'000) + std::string(300'000, 'p') +
                        local("weights", 0, 300'001);
    const size_t begin = whole.size();
    whole += std::string(300'001, 'w');
    auto source = map_file(f.write("x", whole));
    REQUIRE(source.ok());
    CHECK(text(source) == whole);
    CHECK(reinterpret_cast<uintptr_t>(source->bytes.data() + begin) % 64 == 0);
  }
}

TEST_CASE("source: a file that is mapped in place is the file") {
  Folder f;
  auto source = map_file(f.write("x", "before"), {.map = true});
  REQUIRE(source.ok());
  std::fstream(f.path / "x", std::ios::in | std::ios::out) << "behind";
  CHECK(text(source) == "behind");
}

TEST_CASE("source: where no anonymous file may be that large, the copy stays where it is") {
  Folder f;
  const std::string path = f.write("x", std::string(100'000, 'x'));
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{4096, 4096};  // a larger file would be the end of the process: SIGXFSZ
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto source = map_file(path);
    if (source.ok()) retire(source->owner, source->bytes);
    _exit(source.ok() && text(source) == std::string(100'000, 'x') ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("source: holes stay holes, and more of them than the budget are refused") {
  Folder f;
  const std::string path = f.write("x", "head");
  fs::resize_file(path, uint64_t(5) << 30);  // past 2 and 4 GiB
  auto refused = map_file(path);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::kUnsupported);
  CHECK(text(refused).find("are holes, more than the budget of 67108864") != std::string::npos);
  auto source = map_file(path, {.budget = int64_t(8) << 30});
  REQUIRE_MESSAGE(source.ok(), text(source));
  CHECK(source->bytes.size() == uint64_t(5) << 30);
  CHECK(std::memcmp(source->bytes.data(), "head", 5) == 0);
  CHECK(source->bytes.back() == std::byte{0});
  constexpr size_t kMiB = size_t(1) << 20, kPages = 16;
  unsigned char resident[kPages] = {};
  auto* inside = reinterpret_cast<std::byte*>(reinterpret_cast<uintptr_t>(source->bytes.data() + 100 * kMiB) / kMiB * kMiB);
  REQUIRE(::mincore(inside, kPages * 4096, resident) == 0);
  CHECK(std::none_of(resident, resident + kPages, [](unsigned char page) { return (page & 1) != 0; }));
}

TEST_CASE("source: what a loader has read, and a file that another one names, is written by nobody") {
  Folder f;
  const std::string path = f.write("x", std::string(100'000, 'x'));
  const OpenFile zeros(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const auto written = [&](const Result<Source>& source) {  // the system refuses what would be a deadly signal in this process
    return ::read(zeros.fd(), const_cast<std::byte*>(source->bytes.data() + 50'000), 1) == 1;
  };
  auto model = map_file(path);
  REQUIRE(model.ok());
  CHECK(written(model));
  CHECK(!load_graph(*model, {}).ok());
  CHECK(!written(model));
  auto beneath = map_beneath(f.path.string(), "x", {});
  REQUIRE(beneath.ok());
  CHECK(!written(beneath));
  CHECK(!written(map_sibling(*beneath, "x")));
}

TEST_CASE("open file: a file that grows, shrinks or is written meanwhile is noticed") {
  Folder f;
  const std::string path = f.write("x", "1234");
  auto file = open_file(path);
  REQUIRE(file.ok());
  CHECK(!file->changed());
  SUBCASE("grows") { std::ofstream(path, std::ios::app) << "5"; }
  SUBCASE("shrinks") { fs::resize_file(path, 2); }
  SUBCASE("is written") { fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1)); }
  CHECK(file->changed());
}

TEST_CASE("source: a file that ends too soon is an error") {
  Folder f;
  auto file = open_file(f.write("x", "1234"));
  REQUIRE(file.ok());
  std::byte to[8];
  fs::resize_file(f.path / "x", 2);
  const Status s = read_into(file->fd(), 2, to, 2);  // nothing but a hole: its size tells
  CHECK((!s.ok() || file->changed()));
}

TEST_CASE("open file: what is no regular file that can be read is refused at once") {
  Folder f;
  REQUIRE(mkfifo((f.path / "pipe").c_str(), 0600) == 0);
  CHECK(says(open_file((f.path / "pipe").string()), "not a regular file"));
  CHECK(says(open_file(f.path.string()), "is a directory"));
  CHECK(says(open_file("/dev/zero"), "not a regular file"));
  CHECK(says(open_file((f.path / "none").string()), "No such file"));
  if (::geteuid() != 0) {  // root reads everything
    fs::permissions(f.write("locked", "x"), fs::perms::none);
    CHECK(says(open_file((f.path / "locked").string()), "Permission denied"));
  }
}

TEST_CASE("open beneath: files with a second name are refused unless links may be followed") {
  Folder f;
  f.write("outside", "secret");
  f.write("model/own", "x");
  fs::create_hard_link(f.path / "outside", f.path / "model/hard");
  f.link("../outside", "model/soft");
  const std::string model = (f.path / "model").string();
  CHECK(open_beneath(model, "own", false).ok());
  CHECK(says(open_beneath(model, "hard", false), "hard link"));
  CHECK(says(open_beneath(model, "soft", false), "symbolic link"));
  CHECK(open_beneath(model, "hard", true).ok());
  CHECK(open_beneath(model, "soft", true).ok());
}

TEST_CASE("open beneath: a hub's cache may link to its own files, and to nothing else") {
  Hub hub;
  CHECK(open_beneath(hub.snapshot, "a.bin", false).ok());
  CHECK(open_beneath(hub.snapshot + "/", "a.bin", false).ok());
  hub.link("../../../blobs/abc", "hub/snapshots/rev/onnx/b.bin");  // a folder of the model
  CHECK(open_beneath(hub.snapshot, "onnx/b.bin", false).ok());
  CHECK(open_beneath(hub.snapshot + "/onnx", "b.bin", false).ok());
  hub.link((hub.path / "hub/blobs/abc").string(), "hub/snapshots/rev/absolute.bin");
  CHECK(open_beneath(hub.snapshot, "absolute.bin", false).ok());
  hub.link("../../../outside", "hub/snapshots/rev/out.bin");
  CHECK(says(open_beneath(hub.snapshot, "out.bin", false), "symbolic link"));
  hub.link("/etc/hostname", "hub/blobs/second");
  hub.link("../../blobs/second", "hub/snapshots/rev/twice.bin");  // beneath at first, elsewhere at last
  CHECK(says(open_beneath(hub.snapshot, "twice.bin", false), "symbolic link"));
  hub.link("../../blobs", "hub/snapshots/rev/folder");
  CHECK(says(open_beneath(hub.snapshot, "folder", false), "is a directory"));
  hub.link("../../blobs/none", "hub/snapshots/rev/dangling.bin");
  CHECK(!open_beneath(hub.snapshot, "dangling.bin", false).ok());
  hub.link("loop.bin", "hub/snapshots/rev/loop.bin");
  CHECK(!open_beneath(hub.snapshot, "loop.bin", false).ok());
}

TEST_CASE("open beneath: a folder that only looks like a hub's cache is none") {
  Folder f;
  f.write("a/blobs", "a file, no folder");
  f.write("a/data", "x");
  f.link("../../data", "a/snapshots/rev/x.bin");
  CHECK(says(open_beneath((f.path / "a/snapshots/rev").string(), "x.bin", false), "symbolic link"));
  f.write("b/blobs/abc", "x");
  f.link("../blobs/abc", "b/snapshots/x.bin");  // no revision
  CHECK(says(open_beneath((f.path / "b/snapshots").string(), "x.bin", false), "symbolic link"));
  f.link("../../blobs/abc", "b/elsewhere/rev/x.bin");
  CHECK(says(open_beneath((f.path / "b/elsewhere/rev").string(), "x.bin", false), "symbolic link"));
}

}  // namespace tern::test::in_open_file
