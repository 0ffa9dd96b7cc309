// The unpickler, opcode by opcode: what each makes, and what it refuses. Bytes by hand. Code: loaders/torch/pickle/pickle.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "loaders/torch/pickle/pickle.h"
#include "tests/support/pickle_text.h"

namespace tern::test::in_torch_pickle {
namespace {

using namespace std::string_literals;
using torch::ObjectId;
using torch::Pickle;
using Kind = torch::Pickle::Kind;

Pickle read(const std::string& bytes) {  // `bytes` must outlive the result
  size_t position = 0;
  auto p = Pickle::read(pickle_bytes(bytes), position);
  REQUIRE_MESSAGE(p.ok(), p.error().message());
  return std::move(*p);
}

std::string error(const std::string& bytes) {
  size_t position = 0;
  auto p = Pickle::read(pickle_bytes(bytes), position);
  if (p) return "";
  CHECK(p.error().code() == Code::kInvalid);
  return p.error().message();
}

bool contains(const std::string& s, const std::string& part) { return s.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("pickle: constants and integers") {
  CHECK(show("N.") == "None");
  CHECK(show("\x88.") == "True");
  CHECK(show("\x89.") == "False");
  CHECK(show("I01\n.") == "True");
  CHECK(show("I00\n.") == "False");
  CHECK(show("I1\n.") == "1");
  CHECK(show("I-12\n.") == "-12");
  CHECK(show("L01\n.") == "1");  // only I has bools
  CHECK(show("L-7L\n.") == "-7");
  CHECK(show("L7\n.") == "7");
  CHECK(show("K\xff.") == "255");
  CHECK(show("M\xff\xfe.") == "65279");
  CHECK(show("J\xfe\xff\xff\xff.") == "-2");
  CHECK(show("J\x01\x02\x03\x04.") == "67305985");
}

TEST_CASE("pickle: long integers are two's complement, little-endian, of any length") {
  CHECK(show("\x8a\0."s) == "0");
  CHECK(show("\x8a\1\xff."s) == "-1");
  CHECK(show("\x8a\1\x7f."s) == "127");
  CHECK(show("\x8a\2\xff\0."s) == "255");
  CHECK(show("\x8a\3\0\0\x80."s) == "-8388608");
  CHECK(show("\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f."s) == "9223372036854775807");
  CHECK(show("\x8a\x8\0\0\0\0\0\0\0\x80."s) == "-9223372036854775808");
  CHECK(show("\x8b\2\0\0\0\1\1."s) == "257");
  CHECK(show("\x8a\x9"
             "123456789."s) == "big9");
  CHECK(show("L92233720368547758070L\n.") == "big20");
  CHECK(show("L9223372036854775807L\n.") == "9223372036854775807");
  CHECK(contains(error("\x8b\xff\xff\xff\xff."), "truncated"));  // a negative length
}

TEST_CASE("pickle: reals, as bits and as text") {
  CHECK(show("G\x3f\xf8\0\0\0\0\0\0."s) == "1.500000");  // big-endian
  CHECK(show("G\xc0\0\0\0\0\0\0\0."s) == "-2.000000");
  CHECK(show("F1.5\n.") == "1.500000");
  CHECK(show("F-1e-3\n.") == "-0.001000");
  const std::string inf = "Finf\n.", nan = "Fnan\n.";
  Pickle p = read(inf);
  CHECK(p.real(p.root()) == INFINITY);
  p = read(nan);
  CHECK(std::isnan(p.real(p.root())));
  for (const char* bad : {"F\n.", "Fx\n.", "F1.5x\n.", "I\n.", "Ix\n.", "I1x\n.", "L\n.", "L1LL\n."})
    CHECK_MESSAGE(contains(error(bad), "is no number"), std::string(bad));
}

TEST_CASE("pickle: texts of every length field, bytes of every length field") {
  CHECK(show("X\2\0\0\0\xc3\xa4."s) == "'ä'");
  CHECK(show("\x8c\2ab."s) == "'ab'");
  CHECK(show("\x8d\2\0\0\0\0\0\0\0ab."s) == "'ab'");
  CHECK(show("U\2ab."s) == "'ab'");
  CHECK(show("T\2\0\0\0ab."s) == "'ab'");
  CHECK(show("C\2ab."s) == "b'ab'");
  CHECK(show("B\2\0\0\0ab."s) == "b'ab'");
  CHECK(show("\x8e\2\0\0\0\0\0\0\0ab."s) == "b'ab'");
  CHECK(show("\x96\2\0\0\0\0\0\0\0ab."s) == "b'ab'");
  CHECK(show("U\2\xff\x80."s) == "b'\xff\x80'");  // Python 2 had one type for both
  CHECK(show("X\0\0\0\0."s) == "''");
  for (const std::string& good :
       {"\x7f"s, "\xc2\x80"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s, "\xee\x80\x80"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    CHECK(show("\x8c"s + static_cast<char>(good.size()) + good + ".") == "'" + good + "'");
  }
  for (const std::string& bad : {"\x80"s, "\xc1\xbf"s, "\xe0\x9f\x80"s, "\xed\xa0\x80"s, "\xf0\x8f\x80\x80"s, "\xf4\x90\x80\x80"s,
                                 "\xf5\x80\x80\x80"s, "\xc3"s, "\xe2\x82"s, "\xc3\x28"s}) {
    CHECK(show("\x8c"s + static_cast<char>(bad.size()) + bad + ".") == "b'" + bad + "'");  // never shown as a text
  }
  for (const std::string& far : {"X\xff\xff\xff\xff"
                                 "ab."s,
                                 "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
                                 "ab."s,
                                 "\x8e\xff\xff\xff\xff\xff\xff\xff\x7f"
                                 "ab."s,
                                 "\x8c\3ab"s,
                                 "T\xff\xff\xff\x7f"
                                 "ab."s,
                                 "B\3\0\0\0ab"s, "C\3ab"s, "U\3ab"s, "\x96\3\0\0\0\0\0\0\0ab"s}) {
    CHECK(contains(error(far), "truncated"));
  }
}

TEST_CASE("pickle: the texts of protocol 0") {
  CHECK(show("S'ab'\n.") == "'ab'");
  CHECK(show("S\"a'b\"\n.") == "'a'b'");
  CHECK(show("S'a\\n\\t\\r\\\\\\'\\x41'\n.") == "'a\n\t\r\\'A'");
  CHECK(show("S'\\xc3\\xa4'\n.") == "'ä'");
  CHECK(show("S'\\xff'\n.") == "b'\xff'");
  CHECK(show("Va\\u00e4\\U0001f600\\n\n.") == "'aä\xf0\x9f\x98\x80\\n'");  // only \u and \U are escapes there
  CHECK(show("V\\ud83d\n.") == "'?'");
  CHECK(show("V\xe4\n.") == "'ä'");  // Latin-1
  CHECK(show("S''\n.") == "''");
  CHECK(show("V\n.") == "''");
  for (const char* bad : {"Sab\n.", "S'ab\n.", "S'\n.", "S\n."}) CHECK_MESSAGE(contains(error(bad), "quotes"), std::string(bad));
  CHECK(contains(error("S'ab'"), "truncated"));
}

TEST_CASE("pickle: tuples, lists, dicts and sets") {
  CHECK(show(").") == "()");
  CHECK(show("].") == "[]");
  CHECK(show("}.") == "{}");
  CHECK(show("\x8f.") == "set()");
  CHECK(show("(t.") == "()");
  CHECK(show("(K\1K\2t."s) == "(1, 2)");
  CHECK(show("K\1\x85."s) == "(1)");
  CHECK(show("K\1K\2\x86."s) == "(1, 2)");
  CHECK(show("K\0K\1K\2K\3\x87."s) == "(1, 2, 3)");
  CHECK(show("(K\1K\2l."s) == "[1, 2]");
  CHECK(show("(K\1K\2d."s) == "{1: 2}");
  CHECK(show("(K\1K\2\x91."s) == "set(1, 2)");
  CHECK(show("]K\1aK\2a."s) == "[1, 2]");
  CHECK(show("](K\1K\2K\3e(K\4e."s) == "[1, 2, 3, 4]");
  CHECK(show("}K\1K\2s(K\3K\4K\5K\6u."s) == "{1: 2, 3: 4, 5: 6}");
  CHECK(show("\x8f(K\1K\2\x90(K\3\x90."s) == "set(1, 2, 3)");
  CHECK(show("](e(e."s) == "[]");
  CHECK(contains(error("(K\1d."s), "without a value"));
  CHECK(contains(error("}(K\1u."s), "without a value"));
  CHECK(contains(error("}K\1a."s), "cannot hold"));
  CHECK(contains(error("]K\1K\2s."s), "cannot hold"));
  CHECK(contains(error("](K\1\x90."s), "cannot hold"));
  CHECK(contains(error(")(K\1e."s), "cannot hold"));
  CHECK(contains(error("K\1(K\1e."s), "cannot hold"));
}

TEST_CASE("pickle: a list that grows one by one keeps its items, and so do its neighbours") {
  std::string one = "]", all = "](";
  std::string expected = "[";
  for (int i = 0; i < 200; ++i) {
    one += "K"s + static_cast<char>(i) + "a]K\7a0";  // another list beside it
    all += "K"s + static_cast<char>(i);
    expected += (i == 0 ? "" : ", ") + std::to_string(i);
  }
  CHECK(show(one + ".") == expected + "]");
  CHECK(show(all + "e.") == expected + "]");
  std::string dict = "}";
  for (int i = 0; i < 100; ++i) dict += "K"s + static_cast<char>(i) + "K\1s";
  const Pickle p = read(dict += ".");
  REQUIRE(p.items(p.root()).size() == 200);
  for (size_t i = 0; i < 100; ++i) CHECK(p.integer(p.items(p.root())[2 * i]) == static_cast<int64_t>(i));
}

TEST_CASE("pickle: the value of a key is the last one") {
  const std::string bytes = "}(U\1aK\1U\1bK\2U\1aK\3K\4K\5u."s;
  const Pickle p = read(bytes);
  CHECK(p.integer(p.get(p.root(), "a")) == 3);
  CHECK(p.integer(p.get(p.root(), "b")) == 2);
  CHECK(p.get(p.root(), "c") == torch::kNoObject);
  CHECK(p.get(p.items(p.root())[0], "a") == torch::kNoObject);  // a text is no dict
}

TEST_CASE("pickle: globals, in lines and from the stack, with the names of today") {
  CHECK(show("ctorch\nFloatStorage\n.") == "torch.FloatStorage");
  CHECK(show("c__builtin__\nset\n.") == "builtins.set");
  CHECK(show("ccopy_reg\n_reconstructor\n.") == "copyreg._reconstructor");
  CHECK(show("\x8c\2os\x8c\6system\x93."s) == "os.system");
  CHECK(show("\x8c\2os\x94\x8c\6system\x94\x93\x94h\0h\1\x93\x86."s) == "(os.system, os.system)");
  CHECK(contains(error("\x8c\2osK\1\x93."s), "no text"));
  CHECK(contains(error("K\1\x8c\2os\x93."s), "no text"));
  CHECK(contains(error("\x8c\2os\x93."s), "too few"));
  CHECK(contains(error("cos\nsystem."), "truncated"));
  const std::string twice = "cos\nsystem\nctorch\nSize\ncos\nsystem\n\x87."s;
  const Pickle p = read(twice);
  REQUIRE(p.globals().size() == 2);
  CHECK(p.globals()[0].module == "os");
  CHECK(p.globals()[1].name == "Size");
  CHECK_FALSE(p.globals()[0].called);
}

TEST_CASE("pickle: calls are records, whichever opcode would have made them") {
  for (const std::string& call : {"cos\nsystem\nU\2hi\x85R."s, "cos\nsystem\nU\2hi\x85\x81."s, "(U\2hiios\nsystem\n."s, "(cos\nsystem\nU\2hio."s}) {
    CHECK(show(call) == "os.system('hi')");
    const Pickle p = read(call);
    REQUIRE(p.globals().size() == 1);
    CHECK(p.globals()[0].called);
    CHECK(p.is_call_of(p.root(), "os.system"));
    CHECK_FALSE(p.is_call_of(p.root(), "os.syste"));
    CHECK_FALSE(p.is_call_of(p.root(), "os-system"));
    CHECK_FALSE(p.is_call_of(p.callable(p.root()), "os.system"));
  }
  CHECK(show("cm\nC\n)}U\1aK\1s\x92."s) == "m.C()**{'a': 1}");
  CHECK(show("cm\nC\n)\x81}U\1aK\1sb."s) == "m.C()<{'a': 1}>");
  CHECK(show("cm\nC\n)\x81K\1bK\2b."s) == "m.C()<2>");  // the last state
  CHECK(show("cm\nC\n)R(K\1K\2eK\3a."s) == "m.C()+[1, 2, 3]");
  CHECK(show("cm\nC\n)R(K\1K\2uK\3K\4s."s) == "m.C()+{1: 2, 3: 4]");
  CHECK(show("cm\nC\n)R(K\1\x90."s) == "m.C()+[1]");
  CHECK(show("cm\nC\n)RK\1bK\2a."s) == "m.C()<1>+[2]");  // growing keeps the state
  CHECK(show("cm\nC\n)R)R."s) == "m.C()()");             // what a call gave is called
  CHECK(show("]K\1b."s) == "[]");                        // nothing to hold a state
  CHECK(contains(error("cm\nC\n]R."), "no tuple"));
  CHECK(contains(error("cm\nC\n]}\x92."), "no tuple"));
  CHECK(contains(error("cm\nC\n)]\x92."), "no tuple and dict"));
  CHECK(contains(error("cm\nC\n)R(K\1eK\1K\2s."s), "keys to a list"));
  CHECK(contains(error("(o."), "too few"));
  CHECK(contains(error("K\1im\nC\n."s), "no mark"));
  CHECK(contains(error("o."), "no mark"));
}

TEST_CASE("pickle: a class that a legacy file names by a persistent id is called all the same") {
  const std::string bytes = "(U\6modulecmine\nNet\nU\6net.pyU\4texttQ)\x81}b."s;
  const Pickle p = read(bytes);
  REQUIRE(p.globals().size() == 1);
  CHECK(p.globals()[0].called);
}

TEST_CASE("pickle: persistent ids") {
  CHECK(show("U\1kQ."s) == "pid 'k'");
  CHECK(show("Pkey 1\n."s) == "pid 'key 1'");
  CHECK(contains(error("Q."), "too few"));
  CHECK(contains(error("Pkey"), "truncated"));
}

TEST_CASE("pickle: the memo shares objects, also unfinished ones") {
  CHECK(show("]q\0K\1ah\0\x86."s) == "([1], [1])");
  const std::string shared = "]q\5(h\5h\5K\1e."s;  // a list that holds itself
  const Pickle p = read(shared);
  CHECK(p.items(p.root())[0] == p.root());
  CHECK(p.items(p.root()).size() == 3);
  CHECK(show("]r\1\2\3\4K\1aj\1\2\3\4\x86."s) == "([1], [1])");
  CHECK(show("]p7\nK\1ag7\n\x86."s) == "([1], [1])");
  CHECK(show("K\1\x94K\2\x94h\0h\1\x87."s) == "(2, 1, 2)");
  CHECK(show("K\1q\0K\2q\0h\0\x87."s) == "(1, 2, 2)");      // set again
  CHECK(show("K\1q\0K\2q\0K\3\x94h\1\x86."s) == "(3, 3)");  // MEMOIZE counts entries, not opcodes
  CHECK(show("K\1q\5K\2q\0K\3\x94h\5h\2\x87."s) == "(3, 1, 3)");
  std::string later =
      "K\xff"
      "q\5";  // 5 first, then 0 to 6
  for (int i = 0; i < 7; ++i) later += "K"s + static_cast<char>(i) + "q" + static_cast<char>(i);
  CHECK(show(later + "h\5h\6h\0\x87."s) == "(5, 6, 0)");
  CHECK(show(later + "K\x63\x94h\7h\7h\5\x87."s) == "(99, 99, 5)");
  CHECK(contains(error("h\0."s), "never set"));
  CHECK(contains(error("K\1q\0h\1."s), "never set"));
  CHECK(contains(error("K\1q\7h\6."s), "never set"));
  CHECK(contains(error("q\0."s), "too few"));
  for (const char* bad : {"K\1p\n.", "K\1px\n.", "K\1p-1\n.", "K\1p4294967296\n."})
    CHECK_MESSAGE(contains(error(bad), "no memo index"), std::string(bad));
}

TEST_CASE("pickle: the stack and its marks") {
  CHECK(show("K\1K\2"
             "0."s) == "1");
  CHECK(show("K\1(0."s) == "1");  // POP takes a mark too
  CHECK(show("K\1(K\2K\3"
             "1."s) == "1");
  CHECK(show("K\1"
             "2\x86."s) == "(1, 1)");
  CHECK(show("K\1((K\2tt."s) == "((2))");
  for (const char* below :
       {"0.", "2.", ".", "\x85.", "K\1\x86.", "K\1K\2\x87.", "a.", "K\1a.", "K\1K\2s.", "R.", ")R.", "b.", "K\1b.", "\x93.", "\x94."}) {
    CHECK_MESSAGE(contains(error(below), "too few"), std::string(below));
  }
  for (const char* unmarked : {"t.", "l.", "d.", "e.", "u.", "1.", "\x90.", "\x91.", "K\1t."})
    CHECK_MESSAGE(contains(error(unmarked), "no mark"), std::string(unmarked));
  // Nothing reaches below a mark.
  for (const char* fenced : {"K\1(2.", "K\1(\x85.", "](K\1a.", "cm\nC\n()R.", "K\1(.", "]((e.", "}(K\1K\2s.", "K\1(q\1.", "cm\nC\n)R(}b."}) {
    CHECK_MESSAGE(contains(error(fenced), "too few"), std::string(fenced));
  }
}

TEST_CASE("pickle: protocols, frames, and what follows the end") {
  for (char protocol = 0; protocol <= 5; ++protocol) CHECK(show("\x80"s + protocol + "N.") == "None");
  CHECK(contains(error("\x80\6N."), "protocol 6"));
  CHECK(show("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xffN."s) == "None");  // a frame's length tells nothing new
  CHECK(contains(error("\x95\1"), "truncated"));
  CHECK(show("N.N.") == "None and 2 bytes");
  const std::string two = "K\1.K\2."s;
  size_t position = 3;
  auto second = Pickle::read(pickle_bytes(two), position);
  REQUIRE(second.ok());
  CHECK(second->integer(second->root()) == 2);
  CHECK(position == 6);
  CHECK(second->bytes() == 3);
  position = 7;
  CHECK_FALSE(Pickle::read(pickle_bytes(two), position).ok());
  CHECK(show("K\1K\2."s) == "2");  // what is below stays there
}

TEST_CASE("pickle: errors name the opcode and its byte") {
  CHECK(error("NN\xff.") == "pickle byte 2, opcode 0xff: there is no such opcode");
  CHECK(error("Nt.") == "pickle byte 1, opcode 't': there is no mark");
  CHECK(contains(error("\x82\1."), "extension"));
  CHECK(contains(error("\x83\1\1."), "extension"));
  CHECK(contains(error("\x84\1\1\1\1."), "extension"));
  CHECK(contains(error("\x97."), "buffer"));
  CHECK(contains(error("N\x98."), "buffer"));
  CHECK(contains(error(""), "no STOP"));
  CHECK(contains(error("NN"), "no STOP"));
}

TEST_CASE("pickle: every other byte is no opcode") {
  const std::string known =
      "().012FGIJKLMNPQRSTUVX]abcdeghijloqrpstuBC}"
      "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98";
  for (int c = 0; c < 256; ++c) {
    if (known.find(static_cast<char>(c)) != std::string::npos) CHECK_FALSE(contains(error(std::string(1, static_cast<char>(c))), "no such opcode"));
    else CHECK(contains(error(std::string(1, static_cast<char>(c))), "no such opcode"));
  }
}

TEST_CASE("pickle: every truncation of a pickle of all opcodes is an error") {
  const std::string bytes =
      "\x80\4\x95\0\0\0\0\0\0\0\0(I1\nL2L\nF1.5\nS'a'\nVb\nX\1\0\0\0c\x8c\1d\x8d\1\0\0\0\0\0\0\0eU\1fT\1\0\0\0gC\1hB\1\0\0\0i\x8e\1\0\0\0\0\0\0\0j"
      "\x96\1\0\0\0\0\0\0\0kK\1M\1\1J\1\1\1\1\x8a\1\1\x8b\1\0\0\0\1G\0\0\0\0\0\0\0\0cm\nn\n)R}b(im\nn\nPx\nNQp1\ng1\nq\2h\2r\3\0\0\0j\3\0\0\0t."s;
  CHECK_FALSE(contains(show(bytes), "error"));
  for (size_t n = 0; n < bytes.size(); ++n) CHECK(error(bytes.substr(0, n)) != "");
}

}  // namespace tern::test::in_torch_pickle
