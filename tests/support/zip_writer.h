// Writes ZIP archives as tests need them: PyTorch's own form, and lies. Records where each header begins, so that tests can patch it.
#pragma once
#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace tern::test {

class ZipWriter {
 public:
  struct Options {
    bool deflate = false;
    bool crc = true;          // else 0, as PyTorch writes when told not to compute it
    bool descriptor = false;  // PyTorch's way: sizes behind the data, zeros in the local header
    size_t align = 0;         // payload on a multiple of this, by an extra field 'FB'
    bool zip64 = false;       // sizes and offset in extra fields
  };
  struct Member {
    std::string name;
    size_t local, payload, central = 0;  // where its local header, bytes and entry of the directory begin
    uint64_t compressed, size;
    uint32_t crc;
    Options options;
  };

  const Member& add(const std::string& name, const std::string& data) { return add(name, data, Options()); }
  const Member& add(const std::string& name, const std::string& data, const Options& o) {
    const std::string packed = o.deflate ? deflated(data) : data;
    Member m{name, out_.size(), 0, 0, packed.size(), data.size(), o.crc ? crc_of(data) : 0, o};
    std::string extra;
    if (o.align > 0) {
      const size_t begin = out_.size() + 30 + name.size() + (o.zip64 && !o.descriptor ? 20 : 0) + 4;
      extra = "FB" + text<uint16_t>((o.align - begin % o.align) % o.align);
      extra.append((o.align - begin % o.align) % o.align, 'Z');
    }
    if (o.zip64 && !o.descriptor) extra += text<uint16_t>(1) + text<uint16_t>(16) + text<uint64_t>(m.size) + text<uint64_t>(m.compressed);
    const bool hidden = o.descriptor;
    out_ += text<uint32_t>(0x04034b50) + text<uint16_t>(hidden ? 0 : 20) + text<uint16_t>(flags(o)) + text<uint16_t>(o.deflate ? 8 : 0) +
            text<uint32_t>(0);
    out_ += text<uint32_t>(hidden ? 0 : m.crc) + text<uint32_t>(hidden ? 0 : o.zip64 ? 0xffffffff : m.compressed);
    out_ += text<uint32_t>(hidden ? 0 : o.zip64 ? 0xffffffff : m.size) + text<uint16_t>(name.size()) + text<uint16_t>(extra.size()) + name + extra;
    m.payload = out_.size();
    out_ += packed;
    if (hidden) out_ += text<uint32_t>(0x08074b50) + text<uint32_t>(m.crc) + text<uint32_t>(m.compressed) + text<uint32_t>(m.size);
    members.push_back(m);
    return members.back();
  }
  // The directory and the end records. `zip64`: the ZIP64 records too, as PyTorch always writes them.
  std::string finish(bool zip64 = false, const std::string& comment = "") {
    directory = out_.size();
    for (Member& m : members) {
      m.central = out_.size();
      std::string extra;
      if (m.options.zip64)
        extra = text<uint16_t>(1) + text<uint16_t>(24) + text<uint64_t>(m.size) + text<uint64_t>(m.compressed) + text<uint64_t>(m.local);
      const bool big = m.options.zip64;
      out_ += text<uint32_t>(0x02014b50) + text<uint16_t>(0) + text<uint16_t>(0) + text<uint16_t>(flags(m.options)) +
              text<uint16_t>(m.options.deflate ? 8 : 0);
      out_ += text<uint32_t>(0) + text<uint32_t>(m.crc) + text<uint32_t>(big ? 0xffffffff : m.compressed) + text<uint32_t>(big ? 0xffffffff : m.size);
      out_ += text<uint16_t>(m.name.size()) + text<uint16_t>(extra.size()) + text<uint16_t>(0) + text<uint32_t>(0) + text<uint32_t>(0);
      out_ += text<uint32_t>(big ? 0xffffffff : m.local) + m.name + extra;
    }
    const size_t size = out_.size() - directory;
    end64 = out_.size();
    if (zip64) {
      out_ += text<uint32_t>(0x06064b50) + text<uint64_t>(44) + text<uint16_t>(0x31e) + text<uint16_t>(45) + text<uint64_t>(0);
      out_ += text<uint64_t>(members.size()) + text<uint64_t>(members.size()) + text<uint64_t>(size) + text<uint64_t>(directory);
      out_ += text<uint32_t>(0x07064b50) + text<uint32_t>(0) + text<uint64_t>(end64) + text<uint32_t>(1);
    }
    end = out_.size();
    out_ += text<uint32_t>(0x06054b50) + text<uint32_t>(0) + text<uint16_t>(members.size()) + text<uint16_t>(members.size());
    out_ += text<uint32_t>(size) + text<uint32_t>(directory) + text<uint16_t>(comment.size()) + comment;
    return out_;
  }
  // Bytes that belong to no member.
  void raw(const std::string& bytes) { out_ += bytes; }

  template <class T>
  static std::string text(uint64_t value) {
    const auto v = static_cast<T>(value);
    return {reinterpret_cast<const char*>(&v), sizeof v};
  }
  static uint32_t crc_of(const std::string& s) { return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(s.data()), s.size())); }
  static std::string deflated(const std::string& s) {
    z_stream z{};
    deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, s.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(s.data()));
    z.avail_in = static_cast<uInt>(s.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
  }

  std::vector<Member> members;
  size_t directory = 0, end64 = 0, end = 0;  // where the directory and the end records begin, once finished

 private:
  static uint64_t flags(const Options& o) { return o.descriptor ? 0x0808 : 0; }
  std::string out_;
};

template <class T>
void patch(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace tern::test
