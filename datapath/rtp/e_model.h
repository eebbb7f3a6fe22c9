// Speech quality by the E-model (ITU-T G.107, narrowband, default values).
//
//   R = 93.2 - Id - Ie_eff,  Ie_eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl)
//
// and MOS from R by G.107 Annex B, held at 1 where its cubic dips below. Listening quality has Id = 0; conversational
// quality has the delay impairment with perfect echo control. Ie and Bpl come from G.113 Appendix I where it has them;
// codecs without published values are rated as G.711 with concealment and marked as an approximation.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_RTP_E_MODEL_H_
#define SLUICE_DATAPATH_RTP_E_MODEL_H_

#include <cstdint>
#include <string_view>

namespace sluice::rtp {

// How a codec stands loss.
struct CodecImpairment {
  std::string_view codec;
  double ie = 0;   // Equipment impairment.
  double bpl = 0;  // Packet-loss robustness.
  // No published constants: those of G.711 with concealment are used.
  bool is_approximation = false;
};

// The constants for an RTP encoding name (case is ignored): "PCMU", "G729", "AMR", ... For AMR, `bits_per_second` tells
// the mode; 0: 12.2 kbit/s.
CodecImpairment ImpairmentOf(std::string_view encoding, double bits_per_second = 0);

struct EModelInput {
  double loss_percent = 0;
  double burst_ratio = 1;  // 1 for random loss.
  double ie = 0;
  double bpl = 25.1;
  double one_way_delay_ms = 0;  // Mouth to ear; 0 for listening quality.
};

struct QualityRating {
  double r_factor = 0;
  double mos = 1;
};

QualityRating Rate(const EModelInput& input);

// Idd: 0 up to 100 ms.
double DelayImpairment(double one_way_delay_ms);
double MosOf(double r_factor);

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_E_MODEL_H_
