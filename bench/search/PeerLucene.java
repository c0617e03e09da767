/* PeerLucene - Lucene: words without positions, OR of them, best by BM25. Speaks as peer.h says. */
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LogByteSizeMergePolicy;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopScoreDocCollector;
import org.apache.lucene.store.MMapDirectory;

public final class PeerLucene {
    private static final int TOP = 10;
    private static final int TOKEN_BYTES = 64;
    private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

    /** Hands over words that are already cut. */
    private static final class Words extends TokenStream {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private List<String> words;
        private int at;

        void set(List<String> words) {
            this.words = words;
        }

        @Override
        public boolean incrementToken() {
            if (at == words.size()) return false;
            clearAttributes();
            term.append(words.get(at++));
            return true;
        }

        @Override
        public void reset() {
            at = 0;
        }
    }

    private static boolean isOfWord(char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80;
    }

    private static List<String> cut(String line) {
        List<String> out = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        for (int i = 0; i <= line.length(); i++) {
            char c = i < line.length() ? line.charAt(i) : ' ';
            if (isOfWord(c)) {
                word.append(c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
            } else if (word.length() != 0) {
                if (word.length() < TOKEN_BYTES) out.add(word.toString());
                word.setLength(0);
            }
        }
        return out;
    }

    private static void build(Path folder, Path file) throws IOException {
        long begin = System.nanoTime();
        int n = 0;
        FieldType type = new FieldType();
        type.setTokenized(true);
        type.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
        type.freeze();
        IndexWriterConfig config = new IndexWriterConfig(new Analyzer() {
            @Override
            protected TokenStreamComponents createComponents(String field) {
                throw new UnsupportedOperationException();
            }
        });
        config.setRAMBufferSizeMB(256).setUseCompoundFile(false).setMergeScheduler(new SerialMergeScheduler());
        config.setMergePolicy(new LogByteSizeMergePolicy()); // merges neighbours only: numbers stay lines
        try (IndexWriter writer = new IndexWriter(new MMapDirectory(folder), config);
                BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            Words words = new Words();
            for (String line; (line = in.readLine()) != null; n++) {
                Document document = new Document();
                words.set(cut(line));
                document.add(new Field("text", words, type));
                writer.addDocument(document);
            }
            writer.forceMerge(1);
            writer.commit();
        }
        long cpu = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
        System.out.printf("{\"chunks\":%d,\"seconds\":%.3f,\"cpu_seconds\":%.3f}%n", n, (System.nanoTime() - begin) / 1e9, cpu / 1e9);
    }

    private static String ask(IndexSearcher searcher, String line) throws IOException {
        LinkedHashSet<String> words = new LinkedHashSet<>(cut(line));
        long cpu = CPU.getCurrentThreadCpuTime();
        long begin = System.nanoTime();
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        for (String word : words) query.add(new TermQuery(new Term("text", word)), BooleanClause.Occur.SHOULD);
        TopScoreDocCollector best = TopScoreDocCollector.create(TOP, TOP); // counts no further than it must
        searcher.search(query.build(), best);
        TopDocs found = best.topDocs();
        double us = (System.nanoTime() - begin) / 1e3;
        double cpuUs = (CPU.getCurrentThreadCpuTime() - cpu) / 1e3;
        StringBuilder out = new StringBuilder(String.format("%.1f\t%.1f\t", us, cpuUs));
        for (int i = 0; i < found.scoreDocs.length; i++) {
            ScoreDoc hit = found.scoreDocs[i];
            out.append(i == 0 ? "" : ",").append(hit.doc);
        }
        return out.append('\n').toString();
    }

    private static void serve(Path folder) throws IOException {
        try (DirectoryReader reader = DirectoryReader.open(new MMapDirectory(folder))) {
            IndexSearcher searcher = new IndexSearcher(reader);
            searcher.setQueryCache(null);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            List<String> batch = new ArrayList<>();
            System.out.println("ready");
            for (String line; (line = in.readLine()) != null;) {
                if (!line.isEmpty()) {
                    batch.add(line);
                    continue;
                }
                StringBuilder out = new StringBuilder();
                for (String question : batch) out.append(ask(searcher, question));
                System.out.println(out);
                System.out.flush();
                batch.clear();
            }
        }
    }

    public static void main(String[] args) throws IOException {
        if (args.length >= 3 && args[0].equals("build")) {
            build(Path.of(args[1]), Path.of(args[2]));
        } else if (args.length >= 2 && args[0].equals("serve")) {
            serve(Path.of(args[1]));
        } else {
            System.err.println("usage: PeerLucene build FOLDER FILE | serve FOLDER");
            System.exit(64);
        }
    }
}
