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
	"strconv"
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
	hubs := flag.Int("hubs", 0, "plant an e-mail address and a phone on one record in so many, and compare")
	within := flag.String("within", "", "put each set among the records of this one, and compare the set's own pairs")
	first := flag.String("first", "", "compare the pairs of each set's first so many entities, alone and within more: 6000,60000")
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
			fail(err)
		}
		o.Def = weir.IdentityDef{}
		if *first != "" {
			firstOf(s, o, *first)
			continue
		}
		runtime.GC()
		start, used := time.Now(), bed.CPU()
		r := run(s, o)
		fmt.Printf("%-22s %s | CPU %.1f s, wall %.1f s\n", short(path), r, bed.CPU()-used, time.Since(start).Seconds())
		if o.Verbose {
			fmt.Print(r.Limits())
		}
		if *hubs > 0 {
			withHubs(s, o, r, *hubs)
		}
		if *within != "" {
			others, err := bed.Load(*within)
			if err != nil {
				fail(err)
			}
			amongOthers(s, bed.Within(s, others), o, r, short(*within))
		}
		if *curve {
			for _, t := range thresholds {
				q := r.At(t)
				fmt.Printf("    threshold %4.1f  %s\n", t, q)
			}
		}
	}
}

func run(s *bed.Set, o bed.Options) *bed.Result {
	r, err := bed.Run(s, o)
	if err != nil {
		fail(err)
	}
	return r
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// withHubs runs a set again with nothing on some records, with hubs there, and with
// hubs that the model of the plain set, trained before, does not know.
func withHubs(s *bed.Set, o bed.Options, plain *bed.Result, oneIn int) {
	p := bed.Plant(s, oneIn, o.Seed)
	carriers := 0
	for _, h := range p.Hubs {
		carriers += len(h)
	}
	kept := o
	kept.Model = plain.Model
	for _, c := range []struct {
		name string
		set  *bed.Set
		opts bed.Options
	}{
		{"nothing there, trained anew", p.Bare, o}, {"hubs, trained anew", p.Set, o},
		{"nothing there, the old model", p.Bare, kept}, {"hubs, the old model", p.Set, kept},
	} {
		r := run(c.set, c.opts)
		fmt.Printf("    %d records, %-28s: %s | recall %+.3f points; %d pairs of carriers are two people in one profile\n",
			carriers, c.name, r.Quality, 100*(r.R-plain.R), p.Together(r))
	}
}

// amongOthers runs a set again as the first records of a whole.
func amongOthers(s, whole *bed.Set, o bed.Options, alone *bed.Result, around string) {
	r := run(whole, o)
	n := len(s.Records)
	q := r.First(n)
	fmt.Printf("    alone: %s\n    within %s: %s\n    the set's own pairs: %s\n    recall %+.3f points; %s\n%s%s",
		alone.Missed(n), around, r, q, 100*(q.R-alone.R), r.Missed(n), r.Limits(), r.Fallen(alone, n))
	for _, t := range thresholds {
		fmt.Printf("    threshold %4.1f  alone:           %s\n                    pairs with them: %s\n", t, alone.At(t), r.Touching(n, t))
	}
}

// firstOf measures a set's first entities alone and within the next larger ones.
func firstOf(s *bed.Set, o bed.Options, sizes string) {
	var ns []int
	for _, f := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(f)
		if err != nil {
			fail(err)
		}
		ns = append(ns, n)
	}
	first, _ := bed.First(s, ns[0])
	alone := run(first, o)
	fmt.Printf("the first %d entities alone: %s\n", ns[0], alone)
	for _, n := range append(ns[1:], len(s.Records)) {
		around, _ := bed.First(s, n)
		_, whole := bed.First(around, ns[0])
		amongOthers(first, whole, o, alone, fmt.Sprintf("%d records", len(whole.Records)))
	}
}

// thresholds are what -curve and -within show beside the model's own.
var thresholds = []float64{-2, 0, 1, 2, 3, 4, 5, 6, 8, 10}

func short(p string) string {
	parts := strings.Split(strings.TrimSuffix(p, "/"), "/")
	return parts[len(parts)-1]
}
