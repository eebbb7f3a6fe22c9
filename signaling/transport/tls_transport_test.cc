// TLS on real sockets against OpenSSL's own ends: who is let in, whom we believe, what a reload changes.
#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "signaling/transport/shard_transport_test_bed.h"
#include "signaling/transport/test_certificates.h"
#include "signaling/transport/tls_context.h"

namespace sluice::transport {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

// The other end of a connection, client or server. It reads all that comes.
class Peer {
 public:
  Peer(tcp::socket socket, std::shared_ptr<ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void Handshake(ssl::stream_base::handshake_type type) {
    stream_.async_handshake(type, [this](const error_code& error) {
      result_ = error;
      if (!error) Read();
    });
  }
  // Without a word. The object stays, for its handlers are still to come.
  void Close() {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }
  void Send(const std::string& bytes) {
    sent_ = bytes;
    asio::async_write(stream_, asio::buffer(sent_), [](const error_code&, size_t) {});
  }

  bool done() const { return result_.has_value(); }
  bool worked() const { return result_.has_value() && !*result_; }
  bool closed() const { return closed_; }
  // By close_notify, so that it is no cut.
  bool was_told() const { return told_; }
  const std::string& received() const { return received_; }
  std::string CertificateSubject() {
    X509* const certificate = SSL_get1_peer_certificate(stream_.native_handle());
    char text[256] = "";
    if (certificate != nullptr) X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof(text));
    X509_free(certificate);
    return text;
  }

 private:
  void Read() {
    stream_.async_read_some(asio::buffer(buffer_), [this](const error_code& error, size_t size) {
      received_.append(buffer_, size);
      closed_ = static_cast<bool>(error);
      told_ = error == asio::error::eof;
      if (!error) Read();
    });
  }

  const std::shared_ptr<ssl::context> context_;
  ssl::stream<tcp::socket> stream_;
  std::optional<error_code> result_;
  std::string sent_;
  std::string received_;
  char buffer_[4096];
  bool closed_ = false;
  bool told_ = false;
};

class TlsTransportTest : public ShardTransportTestBed {
 protected:
  void OpenServer(const TlsFiles& server, const TlsFiles& client, StreamTransportOptions streams = {}) {
    Open(sip::Protocol::kTls, "127.0.0.1:0", {.streams = streams, .tls = Contexts(server, client)});
  }

  static std::shared_ptr<const TlsContexts> Contexts(const TlsFiles& server, const TlsFiles& client,
                                                     const std::map<std::string, TlsFiles>& trunks = {}) {
    auto contexts = std::make_shared<TlsContexts>();
    contexts->servers.push_back(*MakeTlsServer(server));
    contexts->client = *MakeTlsClient(client);
    for (const auto& [trunk, files] : trunks) contexts->trunks[trunk] = *MakeTlsClient(files);
    return contexts;
  }

  std::unique_ptr<Peer> Call(std::shared_ptr<ssl::context> context) {
    auto peer = std::make_unique<Peer>(Connect(peer_context_, Address()), std::move(context));
    peer->Handshake(ssl::stream_base::client);
    return peer;
  }

  // The hop to a TLS server of the test that must speak for `name`, as all or as a trunk goes there.
  sip::Hop HopToServer(const tcp::acceptor& acceptor, const std::string& name, const std::string& trunk = "") {
    const sip::Endpoint address = *sip::Endpoint::Make("127.0.0.1", acceptor.local_endpoint().port());
    sip::Hop hop = shards_[0]->HopTo(sip::Protocol::kTls, address);
    hop.tls_peer = shards_[0]->TlsPeerNumber({name, trunk});
    return hop;
  }

  // We send to a TLS server of the test; the peer is that one's end.
  std::unique_ptr<Peer> BeCalled(const TlsFiles& server, const std::string& name, absl::string_view message) {
    tcp::acceptor acceptor(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
    shards_[0]->Send(HopToServer(acceptor, name), message);
    return BeCalled(acceptor, server);
  }
  std::unique_ptr<Peer> BeCalled(tcp::acceptor& acceptor, const TlsFiles& server) {
    std::unique_ptr<Peer> peer;
    acceptor.async_accept([&](const error_code& error, tcp::socket socket) {
      if (error) return;
      peer = std::make_unique<Peer>(std::move(socket), *MakeTlsServer(server));
      peer->Handshake(ssl::stream_base::server);
    });
    RunUntil([&] { return peer != nullptr; });
    return peer;
  }

  TestCertificates certificates_;
  const TlsFiles files_ = certificates_.MakeFiles("server", "DNS:sip.example");
  // Shows a certificate and asks for none.
  const TlsFiles server_ = {files_.certificate_file, files_.private_key_file, ""};
  const TlsFiles believing_ = {"", "", certificates_.ca_file()};
};

TEST_F(TlsTransportTest, ExchangesMessagesWithAClientThatBelievesOurCertificate) {
  OpenServer(server_, {});
  const auto peer = Call(*MakeTlsClient(believing_));
  RunUntil([&] { return peer->done(); });
  ASSERT_TRUE(peer->worked());
  peer->Send(Options(CallIdOf(1, 2)) + "\r\n\r\n");
  RunUntil([&] { return !received_[1].empty() && !peer->received().empty(); });
  EXPECT_EQ(received_[1][0].message, Options(CallIdOf(1, 2)));
  EXPECT_EQ(received_[1][0].hop.protocol, sip::Protocol::kTls);
  EXPECT_EQ(peer->received(), "\r\n");
  shards_[1]->Send(received_[1][0].hop, "answer");
  RunUntil([&] { return peer->received() == "\r\nanswer"; });
}

TEST_F(TlsTransportTest, TellsThePeerThatTheEndIsNoCut) {
  OpenServer(server_, {});
  const auto peer = Call(*MakeTlsClient(believing_));
  RunUntil([&] { return peer->done(); });
  // Nothing after this has a beginning.
  peer->Send("MESSAGE sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n");
  RunUntil([&] { return peer->closed(); });
  EXPECT_TRUE(peer->was_told());
}

TEST_F(TlsTransportTest, CarriesMessagesOfManyRecords) {
  OpenServer(server_, {});
  const auto peer = Call(*MakeTlsClient(believing_));
  const std::string body(60000, 'x');
  const std::string message =
      "MESSAGE sip:x SIP/2.0\r\nCall-ID: " + CallIdOf(0, 2) + "\r\nContent-Length: 60000\r\n\r\n" + body;
  RunUntil([&] { return peer->worked(); });
  peer->Send(message);
  RunUntil([&] { return received_[0].size() == 1; });
  EXPECT_EQ(received_[0][0].message, message);
  shards_[0]->Send(received_[0][0].hop, message);
  RunUntil([&] { return peer->received().size() == message.size(); });
  EXPECT_EQ(peer->received(), message);
}

TEST_F(TlsTransportTest, RefusesTlsBefore12) {
  OpenServer(server_, {});
  auto old = *MakeTlsClient(believing_);
  SSL_CTX_set_cipher_list(old->native_handle(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(old->native_handle(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old->native_handle(), TLS1_1_VERSION);
  const auto peer = Call(old);
  RunUntil([&] { return peer->done() && Dropped(DropReason::kTls) == 1; });
  EXPECT_FALSE(peer->worked());
}

TEST_F(TlsTransportTest, RefusesWhatIsNoTls) {
  OpenServer(server_, {});
  tcp::socket peer = Connect(peer_context_, Address());
  asio::write(peer, asio::buffer(Options("x")));
  RunUntil([&] { return Dropped(DropReason::kTls) == 1 && connections() == 0; });
}

TEST_F(TlsTransportTest, LetsInOnlyClientsWithACertificateWhereOneIsAskedFor) {
  OpenServer(files_, {});
  const auto stranger = Call(*MakeTlsClient(believing_));
  RunUntil([&] { return Dropped(DropReason::kTls) == 1; });
  const auto friendly = Call(*MakeTlsClient(certificates_.MakeFiles("phone", "DNS:phone.example")));
  RunUntil([&] { return friendly->worked(); });
  friendly->Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return !received_[0].empty(); });
}

TEST_F(TlsTransportTest, ClosesAConnectionThatDoesNotBeginTls) {
  OpenServer(server_, {}, {.connect_limit = absl::ZeroDuration()});
  tcp::socket silent = Connect(peer_context_, Address());
  RunUntil([&] { return connections() == 1; });
  RunUntil([&] {
    for (const auto& shard : shards_) shard->Sweep();
    return Dropped(DropReason::kHandshakeTimeout) == 1;
  });
  RunUntil([&] { return connections() == 0; });
}

TEST_F(TlsTransportTest, OpensConnectionsToServersThatSpeakForTheirName) {
  OpenServer(server_, believing_);
  const auto peer = BeCalled(server_, "sip.example", "hello");
  RunUntil([&] { return peer->received() == "hello"; });
  EXPECT_EQ(Dropped(DropReason::kTls), 0u);
}

TEST_F(TlsTransportTest, SendsNothingToAServerThatSpeaksForSomebodyElse) {
  OpenServer(server_, believing_);
  const auto peer = BeCalled(server_, "other.example", Options(CallIdOf(0, 2)));
  RunUntil([&] { return Dropped(DropReason::kTls) == 1; });
  RunUntil([&] { return undelivered_[0].size() == 1; });
  RunUntil([&] { return peer->done() && (!peer->worked() || peer->closed()); });
  EXPECT_EQ(peer->received(), "");
}

TEST_F(TlsTransportTest, SendsNothingToAServerThatNobodyBelieves) {
  TestCertificates others;
  OpenServer(server_, believing_);
  const auto peer = BeCalled(others.MakeFiles("server", "DNS:sip.example"), "sip.example", "secret");
  RunUntil([&] { return Dropped(DropReason::kTls) == 1; });
  EXPECT_EQ(peer->received(), "");
}

TEST_F(TlsTransportTest, WantsTheAddressInTheCertificateWhereItKnowsNoName) {
  OpenServer(server_, believing_);
  const auto named = BeCalled(server_, "", "secret");
  RunUntil([&] { return Dropped(DropReason::kTls) == 1; });
  TlsFiles addressed = certificates_.MakeFiles("server", "IP:127.0.0.1");
  addressed.ca_file.clear();
  const auto peer = BeCalled(addressed, "", "hello");
  RunUntil([&] { return peer->received() == "hello"; });
}

TEST_F(TlsTransportTest, HasAConnectionForEachNameOfAnAddress) {
  OpenServer(server_, believing_);
  tcp::acceptor acceptor(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const sip::Hop first = HopToServer(acceptor, "sip.example");
  const sip::Hop second = HopToServer(acceptor, "other.example");
  shards_[0]->Send(first, "first");
  const auto one = BeCalled(acceptor, server_);
  RunUntil([&] { return one->received() == "first"; });
  // The connection that is there speaks for another name.
  shards_[0]->Send(second, "second");
  TlsFiles files = certificates_.MakeFiles("other", "DNS:other.example");
  files.ca_file.clear();
  const auto other = BeCalled(acceptor, files);
  RunUntil([&] { return other->received() == "second"; });
  // Each goes on by its own, and what comes by one is answered by it.
  shards_[0]->Send(first, " again");
  RunUntil([&] { return one->received() == "first again"; });
  other->Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return !received_[0].empty(); });
  EXPECT_EQ(received_[0][0].hop.tls_peer, second.tls_peer);
  EXPECT_EQ(Dropped(DropReason::kTls), 0u);
}

TEST_F(TlsTransportTest, ShowsAServerTheCertificateOfTheTrunkThatItIsCalledFor) {
  const TlsFiles all = certificates_.MakeFiles("all", "DNS:all.example");
  OpenServer(server_, all);
  for (const auto& shard : shards_) {
    shard->SetTls(Contexts(server_, all,
                           {{"blue", certificates_.MakeFiles("blue", "DNS:blue.example")},
                            {"green", certificates_.MakeFiles("green", "DNS:green.example")},
                            {"bare", believing_}}));
  }
  tcp::acceptor acceptor(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  // One address and one name for all of them.
  std::map<std::string, std::unique_ptr<Peer>> servers;
  for (const std::string trunk : {"blue", "green", ""}) {
    shards_[0]->Send(HopToServer(acceptor, "sip.example", trunk), "for " + trunk);
    servers[trunk] = BeCalled(acceptor, files_);
    RunUntil([&] { return servers[trunk]->received() == "for " + trunk; });
  }
  EXPECT_EQ(servers["blue"]->CertificateSubject(), "/CN=blue");
  EXPECT_EQ(servers["green"]->CertificateSubject(), "/CN=green");
  EXPECT_EQ(servers[""]->CertificateSubject(), "/CN=all");
  // Each goes on by its own.
  for (const std::string trunk : {"", "green", "blue"}) {
    shards_[0]->Send(HopToServer(acceptor, "sip.example", trunk), " again");
    RunUntil([&] { return servers[trunk]->received() == "for " + trunk + " again"; });
  }
  EXPECT_EQ(connections(), 3u);
  // What all have is not inherited: the server wants a certificate, and this trunk has none.
  shards_[0]->Send(HopToServer(acceptor, "sip.example", "bare"), Options(CallIdOf(0, 2)));
  const auto bare = BeCalled(acceptor, files_);
  RunUntil([&] { return bare->done() && connections() == 3; });
  EXPECT_FALSE(bare->worked());
  // By TLS 1.3 the message was sent already when the server refused us.
  RunUntil([&] { return undelivered_[0].size() == 1; });
  EXPECT_EQ(undelivered_[0][0].message, Options(CallIdOf(0, 2)));
}

TEST_F(TlsTransportTest, BelievesForATrunkOnlyWhatThatOneBelieves) {
  TestCertificates others;
  const std::map<std::string, TlsFiles> trunks = {{"blue", {"", "", others.ca_file()}}};
  OpenServer(server_, believing_);
  for (const auto& shard : shards_) shard->SetTls(Contexts(server_, believing_, trunks));
  tcp::acceptor acceptor(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  shards_[0]->Send(HopToServer(acceptor, "sip.example", "blue"), Options(CallIdOf(0, 2)));
  const auto refused = BeCalled(acceptor, server_);
  RunUntil([&] { return Dropped(DropReason::kTls) == 1 && undelivered_[0].size() == 1; });
  EXPECT_EQ(refused->received(), "");
  shards_[0]->Send(HopToServer(acceptor, "sip.example", "blue"), "hello");
  TlsFiles theirs = others.MakeFiles("server", "DNS:sip.example");
  theirs.ca_file.clear();
  const auto believed = BeCalled(acceptor, theirs);
  RunUntil([&] { return believed->received() == "hello"; });
}

TEST_F(TlsTransportTest, OpensNothingForATrunkWhoseCertificateItHasNot) {
  OpenServer(server_, certificates_.MakeFiles("all", "DNS:all.example"));
  tcp::acceptor acceptor(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  shards_[0]->Send(HopToServer(acceptor, "sip.example", "blue"), Options(CallIdOf(0, 2)));
  RunUntil([&] { return undelivered_[0].size() == 1; });
  EXPECT_EQ(Dropped(DropReason::kNoConnection), 1u);
  EXPECT_EQ(connections(), 0u);
}

TEST_F(TlsTransportTest, ShowsATrunksServerTheCertificateOfAReloadWithTheNextConnection) {
  OpenServer(server_, believing_);
  const auto use = [&](const std::string& subject) {
    for (const auto& shard : shards_) {
      shard->SetTls(Contexts(server_, believing_, {{"blue", certificates_.MakeFiles(subject, "DNS:blue.example")}}));
    }
  };
  use("before");
  tcp::acceptor acceptor(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const sip::Hop hop = HopToServer(acceptor, "sip.example", "blue");
  shards_[0]->Send(hop, "one");
  auto before = BeCalled(acceptor, files_);
  RunUntil([&] { return before->received() == "one"; });
  use("after");
  shards_[0]->Send(hop, " two");
  RunUntil([&] { return before->received() == "one two"; });
  EXPECT_EQ(before->CertificateSubject(), "/CN=before");
  before->Close();
  RunUntil([&] { return connections() == 0; });
  shards_[0]->Send(hop, "three");
  const auto after = BeCalled(acceptor, files_);
  RunUntil([&] { return after->received() == "three"; });
  EXPECT_EQ(after->CertificateSubject(), "/CN=after");
}

TEST_F(TlsTransportTest, KnowsWhomAClientSpeaksForAsLongAsItsConnectionIsThere) {
  OpenServer(files_, {});
  auto client = Call(*MakeTlsClient(certificates_.MakeFiles("carrier", "DNS:Carrier.example,DNS:other.example")));
  RunUntil([&] { return client->worked(); });
  // Another shard than that of the connection has the message.
  client->Send(Options(CallIdOf(1, 2)) + Options(CallIdOf(0, 2)));
  RunUntil([&] { return !received_[0].empty() && !received_[1].empty(); });
  const sip::Hop hop = received_[1][0].hop;
  for (const auto& shard : shards_) {
    EXPECT_EQ(shard->ClientIdentities(hop), (std::vector<std::string>{"carrier.example", "other.example"}));
  }
  sip::Hop plain = hop;
  plain.protocol = sip::Protocol::kTcp;
  EXPECT_TRUE(shards_[0]->ClientIdentities(plain).empty());
  client->Close();
  RunUntil([&] { return connections() == 0; });
  EXPECT_TRUE(shards_[0]->ClientIdentities(hop).empty());
}

TEST_F(TlsTransportTest, LetsInClientsWithoutACertificateWhereItIsOptional) {
  Open(sip::Protocol::kTls, "127.0.0.1:0", {});
  auto contexts = std::make_shared<TlsContexts>();
  contexts->servers.push_back(*MakeTlsServer(files_, true));
  for (const auto& shard : shards_) shard->SetTls(contexts);
  // The certificate of a stranger's authority is worse than none.
  TestCertificates others;
  TlsFiles strange = others.MakeFiles("stranger", "DNS:carrier.example");
  strange.ca_file = believing_.ca_file;
  const auto stranger = Call(*MakeTlsClient(strange));
  RunUntil([&] { return Dropped(DropReason::kTls) == 1; });
  const auto phone = Call(*MakeTlsClient(believing_));
  const auto carrier = Call(*MakeTlsClient(certificates_.MakeFiles("carrier", "DNS:carrier.example")));
  RunUntil([&] { return phone->worked() && carrier->worked(); });
  phone->Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return received_[0].size() == 1; });
  EXPECT_TRUE(shards_[0]->ClientIdentities(received_[0][0].hop).empty());
  carrier->Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return received_[0].size() == 2; });
  EXPECT_EQ(shards_[0]->ClientIdentities(received_[0][1].hop), std::vector<std::string>{"carrier.example"});
}

TEST_F(TlsTransportTest, ShowsNewConnectionsTheCertificateOfAReload) {
  OpenServer(server_, {});
  const auto before = Call(*MakeTlsClient(believing_));
  RunUntil([&] { return before->worked(); });
  EXPECT_EQ(before->CertificateSubject(), "/CN=server");
  TlsFiles renewed = certificates_.MakeFiles("renewed", "DNS:sip.example");
  renewed.ca_file.clear();
  for (const auto& shard : shards_) shard->SetTls(Contexts(renewed, {}));
  const auto after = Call(*MakeTlsClient(believing_));
  RunUntil([&] { return after->worked(); });
  EXPECT_EQ(after->CertificateSubject(), "/CN=renewed");
  // The one that was there goes on.
  before->Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return !received_[0].empty(); });
}

}  // namespace
}  // namespace sluice::transport
