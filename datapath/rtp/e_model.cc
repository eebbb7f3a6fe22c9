#include "datapath/rtp/e_model.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice::rtp {
namespace {

constexpr double kBasicRating = 93.2;  // Ro - Is with all defaults (G.107 7.7).

struct NamedImpairment {
  std::string_view encoding;
  CodecImpairment impairment;
};

// Sources: G.113 Appendix I for G.711, G.729 and G.723.1; GSM-FR's Bpl is that of other implementations.
constexpr std::array kCodecs = {
    NamedImpairment{"PCMU", {"G.711+PLC", 0, 25.1}}, NamedImpairment{"PCMA", {"G.711+PLC", 0, 25.1}},
    NamedImpairment{"G729", {"G.729A", 11, 19.0}},   NamedImpairment{"G723", {"G.723.1 6.3k", 15, 16.1}},
    NamedImpairment{"GSM", {"GSM-FR", 20, 43}},      NamedImpairment{"GSM-EFR", {"GSM-EFR", 5, 10.0}},
};

struct AmrMode {
  double bits_per_second;
  CodecImpairment impairment;
};

// Highest first. Ie from the published delay bounds of each mode; Bpl is assumed to be that of 12.2.
constexpr std::array kAmrModes = {
    AmrMode{12200, {"AMR 12.2", 5, 10.0}},   AmrMode{10200, {"AMR 10.2", 6, 10.0}},
    AmrMode{7950, {"AMR 7.95", 10, 10.0}},   AmrMode{7400, {"AMR 7.4", 11.5, 10.0}},
    AmrMode{6700, {"AMR 6.7", 13.6, 10.0}},  AmrMode{5900, {"AMR 5.9", 16.4, 10.0}},
    AmrMode{5150, {"AMR 5.15", 19.4, 10.0}}, AmrMode{4750, {"AMR 4.75", 21.3, 10.0}},
};

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

CodecImpairment ImpairmentOf(std::string_view encoding, double bits_per_second) {
  if (EqualsIgnoringCase(encoding, "AMR")) {
    if (bits_per_second <= 0) return kAmrModes.front().impairment;
    const AmrMode* nearest = &kAmrModes.front();
    for (const AmrMode& mode : kAmrModes) {
      if (std::abs(mode.bits_per_second - bits_per_second) < std::abs(nearest->bits_per_second - bits_per_second)) {
        nearest = &mode;
      }
    }
    return nearest->impairment;
  }
  for (const NamedImpairment& codec : kCodecs) {
    if (EqualsIgnoringCase(encoding, codec.encoding)) {
      // G.723.1 at 5.3 kbit/s.
      if (codec.encoding == "G723" && bits_per_second > 0 && bits_per_second < 5800) return {"G.723.1 5.3k", 19, 16.1};
      return codec.impairment;
    }
  }
  return {"G.711+PLC", 0, 25.1, true};
}

double DelayImpairment(double one_way_delay_ms) {
  if (one_way_delay_ms <= 100) return 0;
  const double x = std::log2(one_way_delay_ms / 100);
  return 25 * (std::pow(1 + std::pow(x, 6), 1.0 / 6) - 3 * std::pow(1 + std::pow(x / 3, 6), 1.0 / 6) + 2);
}

double MosOf(double r_factor) {
  if (r_factor <= 0) return 1;
  if (r_factor >= 100) return 4.5;
  return std::max(1.0, 1 + 0.035 * r_factor + 7e-6 * r_factor * (r_factor - 60) * (100 - r_factor));
}

QualityRating Rate(const EModelInput& input) {
  const double loss = std::clamp(input.loss_percent, 0.0, 100.0);
  const double burst = std::clamp(input.burst_ratio, 1.0, 8.0);
  const double effective = input.ie + (95 - input.ie) * loss / (loss / burst + input.bpl);
  const double r_factor = std::clamp(kBasicRating - DelayImpairment(input.one_way_delay_ms) - effective, 0.0, 100.0);
  return {r_factor, MosOf(r_factor)};
}

}  // namespace sluice::rtp
