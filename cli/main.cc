#include <iostream>

#include "cli/sluicectl.h"

int main(int argc, char** argv) { return sluice::cli::RunSluicectl({argv + 1, argv + argc}, std::cout, std::cerr); }
