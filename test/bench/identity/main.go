// Command identity measures the probabilistic model alone, in one process: read
// a data set with its truth, train, block, score, cluster, and compare.
//
//	go run ./test/bench/identity -rules=false FOLDER-OR-STEM …
//
// An argument names a CSV file of records (NAME.records.csv beside
// NAME.truth.csv, or a folder with people.csv and people_truth.csv).
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/test/bench/identity/bed"
)

func main() {
	var o bed.Options
	flag.BoolVar(&o.Rules, "rules", false, "link by equal identifiers too")
	flag.Float64Var(&o.Threshold, "threshold", bed.Default, "log2 odds of a link; default: the model's")
	flag.Uint64Var(&o.Seed, "seed", 1, "of training")
	flag.BoolVar(&o.Verbose, "v", false, "print the model")
	flag.BoolVar(&o.Blind, "blind", false, "rename all columns to tell nothing")
	flag.IntVar(&o.Errors, "errors", 0, "print so many wrong and missed pairs")
	flag.BoolVar(&o.Trusting, "trusting", false, "cluster without a second look at components")
	curve := flag.Bool("curve", false, "print other thresholds too")
	profile := flag.String("cpuprofile", "", "write a CPU profile")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			panic(err)
		}
		_ = pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	for _, path := range flag.Args() {
		s, err := bed.Load(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		o.Def = weir.IdentityDef{}
		runtime.GC()
		start, used := time.Now(), bed.CPU()
		r, err := bed.Run(s, o)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%-22s %s | CPU %.1f s, wall %.1f s\n", short(path), r, bed.CPU()-used, time.Since(start).Seconds())
		if *curve {
			for _, t := range []float64{-2, 0, 1, 2, 3, 4, 5, 6, 8, 10} {
				q := r.At(t)
				fmt.Printf("    threshold %4.1f  %s\n", t, q)
			}
		}
	}
}

func short(p string) string {
	parts := strings.Split(strings.TrimSuffix(p, "/"), "/")
	return parts[len(parts)-1]
}
